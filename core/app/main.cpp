#include <iostream>
#include "app/serve.hpp"
int main(int argc, char** argv) { try { return patchbay::serve(patchbay::load_config(argc>1?argv[1]:"config/patchbay.yaml")); } catch (const std::exception& e) { std::cerr << e.what() << "\n"; return 1; } }
