// Calls everything a hub can, with ordinary arguments.
#pragma once
#include <functional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "checker/trial.hpp"

namespace patchbay::checker {

/// One call that makes sense to the plugin.
struct Piece {
    std::string name;  ///< "receive message", for what is told about it
    uint32_t method = 0;
    std::string in;  ///< Encoded arguments.
};

OutboundMessage sample_message(const std::string& id = "0193a1c4-7b1e-7cc0-8e0f-3a5e8c1d2b4f");
/// As the hub would hand it over from its store.
Request sample_request(const std::string& route, const std::string& body,
                       const std::string& id = "request-1");
/// Bodies as providers send them: forms, JSON, one that is neither.
const std::vector<std::string>& sample_bodies();

/// The calls that the plugin's interfaces allow. Asks it for its routes, steps and so on; `number`
/// tells conversations, sockets and messages of one caller from those of another. Throws Failed
/// where such a list cannot be had.
std::vector<Piece> ordinary_calls(const Subject& subject, Instance& instance, int number = 0);

/// All of them, against a provider that answers 200, 400, 401, 429 and 500 in turn. `seen` gets
/// every answer.
void exercise(const Subject& subject, Instance& instance, PlayedHub& hub,
              const std::function<void(const Piece&, const Answer&)>& seen = {});

}  // namespace patchbay::checker
