#include "app/completions.hpp"

#include <Poco/StringTokenizer.h>

#include <stdexcept>
#include <vector>

#include "app/examples.hpp"

namespace patchbay {
namespace {

struct Word {
    std::string text, description;
};

/// An option that takes a value: what may stand behind it.
struct ValueOption {
    std::vector<std::string> names;
    std::vector<std::string> choices;
    bool is_file = false;
};

/// One place in a command line: the verb that was written so far.
struct Place {
    std::string path;  ///< "" or " user add": each word with a space before it
    std::vector<Word> words;
    std::vector<ValueOption> values;
};

std::vector<std::string> names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

/// CLI11 writes a list of allowed values into the type: "TEXT:{table,json}".
std::vector<std::string> choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const size_t open = type.find('{'), close = type.find('}');
    if (open == std::string::npos || close == std::string::npos) return {};
    const Poco::StringTokenizer choices(type.substr(open + 1, close - open - 1), ",");
    return {choices.begin(), choices.end()};
}

void add_options(Place& place, const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            for (const auto& choice : choices_of(*option)) place.words.push_back({choice, ""});
            continue;
        }
        const auto names = names_of(*option);
        if (names.empty()) continue;
        place.words.push_back({names.back(), option->get_description()});
        if (option->get_items_expected_max() == 0) continue;
        place.values.push_back({names, choices_of(*option), option->get_type_name() == "FILE"});
    }
}

std::vector<Place> places_of(const CLI::App& app) {
    const auto place_of = [&](const std::string& path, const CLI::App& verb) {
        Place place{.path = path};
        for (const CLI::App* below : verbs_of(verb)) {
            place.words.push_back({below->get_name(), below->get_description()});
        }
        add_options(place, verb);
        // The program's own options may stand anywhere.
        if (&verb != &app) add_options(place, app);
        return place;
    };
    std::vector<Place> places{place_of("", app)};
    walk_verbs(app, [&](const std::string& path, const CLI::App& verb) {
        places.push_back(place_of(" " + path, verb));
    });
    return places;
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// All paths as patterns of a `case`: ' serve'|' user'|' user add'.
std::string known_paths(const std::vector<Place>& places, const std::string& separator) {
    std::string text;
    for (const Place& place : places) {
        if (place.path.empty()) continue;
        text += (text.empty() ? "" : separator) + quoted(place.path);
    }
    return text;
}

std::string joined(const std::vector<Word>& words) {
    std::string text;
    for (const Word& word : words) text += (text.empty() ? "" : " ") + word.text;
    return text;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

/// What differs between the two shells of one family.
struct Dialect {
    std::string before_verbs;  ///< up to the list of words before the cursor
    std::string previous;      ///< the word before the cursor
    std::string files;         ///< offers files
    std::string offer_begin, offer_end;
    std::string end;
};

const Dialect bash{.before_verbs =
                       "_patchbay() {\n"
                       "    local at='' word cur=${COMP_WORDS[COMP_CWORD]}\n"
                       "    COMPREPLY=()\n"
                       "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n",
                   .previous = "${COMP_WORDS[COMP_CWORD-1]}",
                   .files = "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
                   .offer_begin = "mapfile -t COMPREPLY < <(compgen -W '",
                   .offer_end = "' -- \"$cur\")",
                   .end = "}\ncomplete -o filenames -F _patchbay patchbay\n"};

const Dialect zsh{.before_verbs =
                      "#compdef patchbay\n"
                      "_patchbay() {\n"
                      "    local at='' word\n"
                      "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n",
                  .previous = "${words[CURRENT-1]}",
                  .files = "_files",
                  .offer_begin = "compadd -- ",
                  .offer_end = "",
                  .end = "}\ncompdef _patchbay patchbay\n"};

std::string posix_script(const std::vector<Place>& places, const Dialect& shell) {
    const auto offer = [&](const std::string& words) {
        return shell.offer_begin + words + shell.offer_end;
    };
    std::string text =
        shell.before_verbs + "        case \"$at $word\" in " + known_paths(places, "|") +
        ") at=\"$at $word\" ;; esac\n    done\n    case \"$at:" + shell.previous + "\" in\n";
    for (const Place& place : places) {
        for (const ValueOption& value : place.values) {
            std::string pattern;
            for (const auto& name : value.names) {
                pattern += (pattern.empty() ? "" : "|") + quoted(place.path + ":" + name);
            }
            text += "        " + pattern + ") ";
            if (value.is_file) text += shell.files + "; ";
            if (!value.choices.empty()) text += offer(joined(value.choices)) + "; ";
            text += "return ;;\n";
        }
    }
    text += "    esac\n    case \"$at\" in\n";
    for (const Place& place : places) {
        text += "        " + quoted(place.path) + ") " + offer(joined(place.words)) + " ;;\n";
    }
    return text + "    esac\n" + shell.end;
}

/// One word to a line, a tab and the description.
std::string fish_words(const std::vector<Word>& words) {
    std::string text;
    for (const Word& word : words) {
        text += " " + quoted(word.text + (word.description.empty() ? "" : "\t" + word.description));
    }
    return text;
}

std::string fish_script(const std::vector<Place>& places) {
    std::string text =
        "function __patchbay_offer\n"
        "    set -l words (commandline -opc)\n"
        "    set -l at ''\n"
        "    for word in $words[2..-1]\n"
        "        switch \"$at $word\"\n            case " +
        known_paths(places, " ") +
        "\n                set at \"$at $word\"\n        end\n    end\n"
        "    switch \"$at:$words[-1]\"\n";
    for (const Place& place : places) {
        for (const ValueOption& value : place.values) {
            text += "        case";
            for (const auto& name : value.names) text += " " + quoted(place.path + ":" + name);
            text += "\n            ";
            if (value.is_file) text += "__fish_complete_path (commandline -ct)\n            ";
            if (!value.choices.empty())
                text += "printf '%s\\n' " + joined(value.choices) + "\n            ";
            text += "return\n";
        }
    }
    text += "    end\n    switch \"$at\"\n";
    for (const Place& place : places) {
        text += "        case " + quoted(place.path) + "\n            printf '%s\\n'" +
                fish_words(place.words) + "\n";
    }
    return text + "    end\nend\ncomplete -c patchbay -f -a '(__patchbay_offer)'\n";
}

}  // namespace

std::string completions(const CLI::App& app, const std::string& shell) {
    const auto places = places_of(app);
    if (shell == "bash") return posix_script(places, bash);
    if (shell == "zsh") return posix_script(places, zsh);
    if (shell == "fish") return fish_script(places);
    throw std::invalid_argument("no completions for the shell " + shell);
}

}  // namespace patchbay
