// patchbay plugin new NAME: a plugin that builds and passes its tests, to go on from
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

// What the templates say where the new plugin's name belongs: as namespace and file, as class, and
// in the names of variables of the environment.
constexpr std::string_view template_name = "new_plugin", template_type = "NewPlugin",
                           template_variable = "NEW_PLUGIN";

constexpr size_t max_name = 63;  // pb_stamp::name with its zero byte.

struct NewPlugin {
    std::string name, kind, folder;
};

// Words that a namespace, a class or a CMake target called so would collide with: C++'s own, what
// <patchbay/...> declares, and the targets of every build.
constexpr std::string_view taken[] = {
    "alignas",  "alignof",    "all",       "and",       "app",       "asm",        "auto",
    "bench",    "bitand",     "bitor",     "bool",      "break",     "call",       "case",
    "catch",    "channel",    "char",      "class",     "clean",     "compl",      "concept",
    "config",   "const",      "consteval", "constexpr", "constinit", "continue",   "decltype",
    "default",  "delete",     "detail",    "do",        "double",    "else",       "enum",
    "error",    "event",      "explicit",  "export",    "extern",    "false",      "float",
    "for",      "form",       "friend",    "goto",      "health",    "help",       "host",
    "identity", "if",         "inline",    "install",   "int",       "labels",     "level",
    "long",     "mark",       "media",     "messaging", "method",    "mutable",    "namespace",
    "new",      "new_plugin", "noexcept",  "not",       "nullptr",   "operations", "operator",
    "or",       "outcome",    "package",   "patchbay",  "plugin",    "private",    "protected",
    "public",   "register",   "request",   "requires",  "response",  "return",     "route",
    "secret",   "short",      "signature", "signed",    "sizeof",    "sockets",    "static",
    "std",      "stored",     "struct",    "switch",    "tables",    "template",   "test",
    "testing",  "this",       "throw",     "true",      "try",       "typedef",    "typeid",
    "typename", "union",      "unsigned",  "using",     "virtual",   "void",       "volatile",
    "while",    "wire",       "xor",
};

void require_good_name(const std::string& name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    const auto refuse = [&](const std::string& why) {
        throw VerbFailure(exit_code::usage, "\"" + printable(name) + "\" is no name of a plugin: " +
                                                why + ", such as acme_sms");
    };
    const bool is_word = !name.empty() && std::all_of(name.begin(), name.end(), fits) &&
                         name.front() >= 'a' && name.back() != '_' &&
                         name.find("__") == std::string::npos;
    if (!is_word) refuse("it is one word of lower-case letters, digits and single underscores");
    if (name.size() > max_name)
        refuse("it has at most " + std::to_string(max_name) + " characters");
    if (std::find(std::begin(taken), std::end(taken), name) != std::end(taken))
        refuse("that word has a meaning of its own in C++, CMake or the SDK; take another one");
}

/// acme_sms -> AcmeSms
std::string type_of(const std::string& name) {
    std::string type;
    bool starts = true;
    for (const char c : name) {
        if (c != '_') type += starts && c >= 'a' ? static_cast<char>(c - 32) : c;
        starts = c == '_';
    }
    return type;
}

std::string upper(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return text;
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// Beside the folder of the program, as the plugins are: the same in a build and when installed.
fs::path templates_of(const std::string& kind) {
    const fs::path binary = fs::read_symlink("/proc/self/exe");
    const fs::path folder = binary.parent_path().parent_path() / "templates" / kind;
    if (fs::is_directory(folder)) return folder;
    throw VerbFailure(exit_code::not_found,
                      folder.string() +
                          " is not there; `cmake --install BUILD --component sdk` "
                          "installs the templates");
}

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw VerbFailure(exit_code::failed, file.string() + " cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Copies the templates with the plugin's name in them; returns the files, in order.
std::vector<std::string> write_files(const fs::path& from, const fs::path& to,
                                     const std::string& name) {
    const auto named = [&](const std::string& text) {
        return replaced(replaced(replaced(text, template_name, name), template_type, type_of(name)),
                        template_variable, upper(name));
    };
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        if (!entry.is_regular_file()) continue;
        const std::string file = named(fs::relative(entry.path(), from).string());
        fs::create_directories((to / file).parent_path());
        std::ofstream out(to / file, std::ios::binary);
        out << named(content_of(entry.path()));
        out.close();
        if (!out) throw VerbFailure(exit_code::failed, (to / file).string() + " cannot be written");
        files.push_back(file);
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// All of the folder or nothing of it: it is written under another name first.
std::vector<std::string> write_folder(const NewPlugin& plugin, const fs::path& folder) {
    const fs::path from = templates_of(plugin.kind);
    std::string scratch = folder.string() + ".XXXXXX";
    if (!::mkdtemp(scratch.data())) {
        throw VerbFailure(exit_code::failed, "no folder can be made beside " + folder.string());
    }
    try {
        auto files = write_files(from, scratch, plugin.name);
        fs::permissions(scratch,
                        fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read |
                            fs::perms::others_exec,
                        fs::perm_options::add);
        fs::rename(scratch, folder);
        return files;
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(scratch, ignored);
        throw;
    }
}

void print_next_steps(std::ostream& out, const NewPlugin& plugin, const std::string& folder,
                      const std::vector<std::string>& files) {
    out << folder << ": " << plugin.kind << " " << plugin.name << '\n';
    for (const std::string& file : files) out << "  " << file << '\n';
    out << "Build it, and run its tests:\n"
        << "  cmake -S " << folder << " -B " << folder << "/build\n"
        << "  cmake --build " << folder << "/build\n"
        << "  ctest --test-dir " << folder << "/build --output-on-failure\n"
        << "Check it as a hub's operator would:\n"
        << "  patchbay plugin check " << folder << "/build/plugins/" << plugin.name
        << ".so --folder " << folder << '\n';
}

int write_plugin(const Invocation& run, const NewPlugin& plugin) {
    require_good_name(plugin.name);
    fs::path folder = plugin.folder.empty() ? fs::path(plugin.name) : fs::path(plugin.folder);
    if (!folder.has_filename()) folder = folder.parent_path();  // "plugins/acme_sms/"
    if (fs::exists(fs::symlink_status(folder))) {
        throw VerbFailure(exit_code::refused, folder.string() + " is there already");
    }
    const auto files = write_folder(plugin, folder);
    if (!run.json()) {
        print_next_steps(run.streams.out, plugin, printable(folder.string()), files);
        return exit_code::done;
    }
    JsonArray list = make_array();
    for (const std::string& file : files) list->add(file);
    JsonObject json = make_object();
    json->set("name", plugin.name);
    json->set("kind", plugin.kind);
    json->set("folder", folder.string());
    json->set("files", list);
    print_json(run.streams.out, json);
    return exit_code::done;
}

}  // namespace

void add_plugin_new_verb(CLI::App& plugin, Invocation& run) {
    CLI::App* verb =
        plugin.add_subcommand("new", "Write a plugin that builds and passes its tests");
    const auto options = std::make_shared<NewPlugin>();
    verb->add_option("name", options->name, "One word, such as acme_sms")->required();
    verb->add_option("--kind", options->kind, "What it is")
        ->check(CLI::IsMember({"channel", "webhook", "flow", "subscriber", "app"}))
        ->required();
    verb->add_option("--folder", options->folder, "Where to write it; ./NAME unless given")
        ->type_name("FILE");
    verb->callback(
        [&run, options] { run.verb = [&run, options] { return write_plugin(run, *options); }; });
}

}  // namespace patchbay
