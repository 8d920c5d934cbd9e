// Thin helpers over OpenSSL 3. Inputs and outputs are raw bytes unless the name says hex or base64
// (patchbay/text.hpp encodes).
#pragma once
#include <string>
#include <string_view>

namespace patchbay {

std::string sha256(std::string_view data);
std::string hmac_sha1(std::string_view key, std::string_view data);
std::string hmac_sha256(std::string_view key, std::string_view data);
/// Constant time for equal lengths (S46).
bool equal_constant_time(std::string_view a, std::string_view b);
std::string random_bytes(size_t count);
/// scrypt with N=2^log2_n; throws std::runtime_error when OpenSSL refuses.
std::string scrypt(std::string_view password, std::string_view salt, unsigned log2_n, unsigned r,
                   unsigned p, size_t bytes);

}  // namespace patchbay
