// Where a URL that came from data may lead (S50, S51).
#pragma once
#include <string>

namespace patchbay {

enum class UrlReach {
    refused,
    open_net,  ///< Only to public addresses, which is checked again at the connection.
    loopback   ///< Only to this machine.
};

/// https on port 443 without credentials is of the open net, unless the host is written as an
/// address that is not. With `allow_loopback` http or https on any port, to localhost or an address
/// of this machine, is loopback. Odd forms of addresses (127.1, 0x7f000001) are what they mean.
UrlReach reach_of(const std::string& url, bool allow_loopback);

}  // namespace patchbay
