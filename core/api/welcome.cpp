// GET /welcome and /invite: where one-time links lead, with /welcome.js
#include "api/embedded_files.hpp"
#include "api/pages.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

namespace patchbay {

void add_welcome_routes(Router& router, ApiContext& context) {
    const auto add = [&](const char* name, const char* path, const std::string& file,
                         const char* about) {
        router.add(
            {.name = name, .method = "GET", .path = path, .roles = roles::everyone, .about = about},
            [&context, file](const ExchangePtr& exchange) {
                const auto text = find_embedded("welcome/" + file);
                if (!text) throw Problem("unknown_path");
                exchange->answer(
                    page(std::string(*text), type_of(file), is_secure(exchange, context)));
            });
    };
    add("welcome", "/welcome", "welcome.html", "Makes the first owner, with the link.");
    add("welcome.invite", "/invite", "welcome.html", "Sets a first password, with the link.");
    add("welcome.script", "/welcome.js", "welcome.js", "The script of both.");
}

}  // namespace patchbay
