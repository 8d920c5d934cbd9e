#include "inbound/signature_scheme.hpp"

namespace patchbay {

const SignatureScheme* find_signature_scheme(Signature scheme) {
    switch (scheme) {
        case Signature::twilio_sha1:
            return &twilio_sha1_scheme();
        case Signature::meta_sha256:
            return &meta_sha256_scheme();
        case Signature::shared_header:
            return &shared_header_scheme();
        case Signature::standard_webhooks:
            return &standard_webhooks_scheme();
        case Signature::none:
        case Signature::custom:
            break;
    }
    return nullptr;
}

}  // namespace patchbay
