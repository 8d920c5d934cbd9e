#include "checker/static_checks.hpp"

#include <patchbay/abi.h>

#include <algorithm>
#include <functional>
#include <patchbay/errors.hpp>
#include <regex>

#include "checker/elf_image.hpp"
#include "checker/manifest.hpp"

namespace patchbay::checker {
namespace {

const char* const entry_symbol = "patchbay_plugin_v1";

Verdict failed_if(bool wrong, const std::string& text) {
    return wrong ? Verdict{Result::failed, text} : Verdict{};
}

// The first few, so that a library that exports thousands fits on a line.
std::string listed(const std::vector<std::string>& names) {
    constexpr size_t most = 5;
    std::string text;
    for (size_t i = 0; i < std::min(names.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
    return text;
}

std::vector<std::string> chosen(const std::vector<std::string>& names,
                                const std::function<bool(const std::string&)>& fits) {
    std::vector<std::string> some;
    std::copy_if(names.begin(), names.end(), std::back_inserter(some), fits);
    return some;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), name) != words.end();
}

Verdict check_name(const PluginStamp& stamp, const std::filesystem::path& library) {
    if (!is_plugin_name(stamp.name))
        return {Result::failed, "\"" + stamp.name + "\" is not one word of a-z, 0-9 and _"};
    return failed_if(
        library.filename() != stamp.name + ".so",
        "the plugin is called \"" + stamp.name + "\", its file " + library.filename().string());
}

Verdict check_version(const PluginStamp& stamp) {
    static const std::regex semantic(
        R"((0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)");
    return failed_if(!std::regex_match(stamp.version, semantic),
                     "\"" + stamp.version + "\" is not major.minor.patch");
}

Verdict check_exports(const ElfImage& image) {
    const auto others =
        chosen(image.exports, [](const auto& name) { return name != entry_symbol; });
    if (others.size() == image.exports.size())
        return {Result::failed, std::string(entry_symbol) + " is not exported"};
    return failed_if(!others.empty(), "it exports " + listed(others));
}

Verdict check_run_paths(const ElfImage& image) {
    const auto fixed = chosen(image.run_paths, [](const auto& path) {
        return path != "$ORIGIN" && !path.starts_with("$ORIGIN/");
    });
    return failed_if(!fixed.empty(), "libraries are looked for in \"" + listed(fixed) + "\"");
}

Verdict check_thread_locals(const ElfImage& image) {
    const auto found = chosen(image.imports, [](const auto& name) {
        return is_one_of(name, {"__cxa_thread_atexit", "__cxa_thread_atexit_impl"});
    });
    return failed_if(!found.empty(), "a thread-local variable has a destructor");
}

Verdict check_process_calls(const ElfImage& image) {
    const auto forbidden = chosen(image.imports, [](const std::string& name) {
        return name.starts_with("exec") || name.starts_with("posix_spawn") ||
               is_one_of(name, {"fork",       "vfork",     "_Fork",     "clone",       "daemon",
                                "system",     "popen",     "exit",      "_exit",       "_Exit",
                                "quick_exit", "signal",    "sigaction", "sigprocmask", "setenv",
                                "putenv",     "unsetenv",  "clearenv",  "chdir",       "fchdir",
                                "chroot",     "setlocale", "umask",     "setuid",      "setgid"});
    });
    if (!forbidden.empty()) return {Result::failed, "it calls " + listed(forbidden)};
    const auto keys = chosen(image.imports, [](const auto& name) {
        return is_one_of(name, {"pthread_key_create", "tss_create", "__pthread_key_create"});
    });
    if (keys.empty()) return {};
    return {Result::warned,
            "it calls " + listed(keys) + ": a key's destructor may not outlive the library"};
}

Verdict check_threads(const ElfImage& image, const PluginStamp& stamp) {
    const auto starters = chosen(image.imports, [](const std::string& name) {
        return is_one_of(name, {"pthread_create", "thrd_create"}) ||
               name.starts_with("_ZNSt6thread15_M_start_thread") ||
               name.starts_with("_ZN4Poco6Thread5start") ||
               name.starts_with("_ZN4Poco10ThreadPool5start");
    });
    if (starters.empty() || stamp.flags & PB_FLAG_OWNS_THREADS) return {};
    return {Result::warned,
            "it starts threads (" + listed(starters) + ") and its stamp does not say owns_threads"};
}

// Every C and C++ program has these, a sanitizer's program those of the sanitizer.
bool is_runtime(const std::string& soname) {
    for (const char* begin : {"libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "ld-linux",
                              "libpthread.so", "libdl.so", "librt.so", "libasan.so", "libtsan.so",
                              "libubsan.so", "libc++.so", "libc++abi.so", "libunwind.so"})
        if (soname.starts_with(begin)) return true;
    return false;
}

std::string without_version(const std::string& soname) {
    return soname.substr(0, soname.find(".so"));
}

Verdict check_libraries(const ElfImage& image) {
    const std::vector<std::string> ours = loaded_libraries();
    const auto has = [&](const std::string& soname) {
        return std::find(ours.begin(), ours.end(), soname) != ours.end();
    };
    if (!image.soname.empty() && has(image.soname))
        return {Result::warned, "it calls itself " + image.soname + ", as a library of the hub"};
    const auto shared = chosen(image.needed, [&](const std::string& soname) {
        if (is_runtime(soname)) return false;
        return std::any_of(ours.begin(), ours.end(), [&](const std::string& one) {
            return without_version(one) == without_version(soname);
        });
    });
    if (shared.empty()) return {};
    const auto other = std::find_if_not(shared.begin(), shared.end(), has);
    if (other != shared.end())
        return {Result::warned, "it was built for " + *other + ", of which the hub has another"};
    return {Result::warned, "it shares " + listed(shared) + " with the hub"};
}

Verdict stamp_verdict(const std::filesystem::path& library, StaticFindings& findings) {
    PluginFile file{library, {}, {}};
    try {
        file.content = read_plugin_file(library);
        file.stamp = read_stamp(file.content);
        check_stamp(file.stamp, file.stamp.name);
    } catch (const Error& error) {
        return {Result::failed, error.what()};
    }
    findings.file = std::move(file);
    return {};
}

}  // namespace

StaticFindings run_static_checks(const std::filesystem::path& library,
                                 const std::filesystem::path& plugin_yaml) {
    if (!std::filesystem::exists(library))
        throw Error(ErrorKind::not_found, "there is no file " + library.string());
    StaticFindings findings;
    auto& verdicts = findings.verdicts;
    verdicts["K01"] = stamp_verdict(library, findings);
    if (!findings.file) {
        for (const CheckInfo& one : all_checks())
            if (one.is_static() && one.id != "K01")
                verdicts[one.id] = {Result::skipped, "K01 failed"};
        return findings;
    }
    const PluginStamp& stamp = findings.file->stamp;
    const ElfImage image = read_elf_image(findings.file->content);
    verdicts["K02"] = check_name(stamp, library);
    verdicts["K03"] = check_version(stamp);
    verdicts["K04"] = check_exports(image);
    verdicts["K05"] = failed_if(!image.unique.empty(), listed(image.unique) + " is UNIQUE");
    verdicts["K06"] = failed_if(image.is_pinned, "it is marked NODELETE");
    verdicts["K07"] = failed_if(image.has_text_relocations, "it has text relocations");
    verdicts["K08"] = failed_if(!image.binds_now, "symbols are bound at their first call");
    verdicts["K09"] = check_run_paths(image);
    verdicts["K10"] = check_thread_locals(image);
    verdicts["K11"] = check_process_calls(image);
    verdicts["K12"] = check_threads(image, stamp);
    verdicts["K13"] = check_libraries(image);
    verdicts["K14"] = check_manifest(plugin_yaml, stamp);
    return findings;
}

}  // namespace patchbay::checker
