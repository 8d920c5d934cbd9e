#include "app/man_page.hpp"

#include "app/examples.hpp"

namespace patchbay {
namespace {

/// Text that roff takes as it is: a backslash and a hyphen would be its own, and so would a point
/// at the beginning of a line.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\'')
            out += "\\(aq";
        else
            out += c;
    }
    return out.starts_with('.') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string argument_of(const CLI::Option& option) {
    return option.get_items_expected_max() == 0 ? "" : " " + italic(option.get_type_name());
}

std::string options_of(const CLI::App& app) {
    std::string text;
    for (const CLI::Option* option : app.get_options()) {
        std::string names;
        if (option->get_positional()) names = italic(option->get_name(true));
        for (const auto& name : option->get_snames()) names += bold("-" + name) + ", ";
        for (const auto& name : option->get_lnames()) names += bold("--" + name) + ", ";
        if (names.ends_with(", ")) names.resize(names.size() - 2);
        text +=
            ".TP\n" + names + argument_of(*option) + "\n" + roff(option->get_description()) + "\n";
    }
    return text;
}

std::string verbs(const CLI::App& app) {
    std::string text;
    walk_verbs(app, [&](const std::string& path, const CLI::App& verb) {
        if (!verbs_of(verb).empty()) return;
        text += ".SS patchbay " + roff(path) + "\n" + roff(verb.get_description()) + ".\n" +
                options_of(verb);
    });
    return text;
}

std::string examples() {
    std::string text;
    for (const VerbExamples& entry : verb_examples()) {
        for (const Example& example : entry.examples) {
            text += ".TP\n" + bold(example.command) + "\n" + roff(example.does) + "\n";
        }
    }
    return text;
}

constexpr const char* exit_codes =
    ".SH EXIT STATUS\n"
    ".TP\n0\ndone\n.TP\n1\nfailed\n.TP\n2\nthe command line is wrong\n.TP\n3\nrefused\n"
    ".TP\n4\nnot found\n.TP\n5\nunavailable: no server, or the store is in use\n";

}  // namespace

std::string man_page(const CLI::App& app) {
    return ".TH PATCHBAY 1 \"\" \"Patchbay " PATCHBAY_VERSION
           "\" \"User Commands\"\n"
           ".SH NAME\npatchbay \\- integration hub for customer messaging\n"
           ".SH SYNOPSIS\n.B patchbay\n.RI [ options ] \" verb \" [ arguments ]\n"
           ".SH DESCRIPTION\n"
           "Runs the hub, and talks to the one that runs: a verb that reads or changes its state "
           "uses its\n"
           "control socket, which is found from the configuration file; where no server runs it "
           "opens the\n"
           "store itself.\n"
           ".SH OPTIONS\n" +
           options_of(app) + ".SH VERBS\n" + verbs(app) + ".SH EXAMPLES\n" + examples() +
           exit_codes;
}

}  // namespace patchbay
