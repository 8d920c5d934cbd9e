// One message to many people, through the hub's queue.
//   POST /api/whatsapp/send-bulk   {"phone_numbers", ..., "dry_run", "confirm"}
//   GET  /api/whatsapp/send-bulk/{job_id}
//   POST /api/whatsapp/send-bulk/{job_id}/stop
#pragma once
#include <Poco/JSON/Object.h>

#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/problem.hpp>
#include <vector>

#include "content.hpp"

namespace patchbay::twilio_whatsapp {

/// [any thread]
class BulkApi {
public:
    /// Outlives it.
    explicit BulkApi(const Host& host) : host_(host) {}

    Response start(const Call& call, const Request& request) const;
    Response progress(const Request& request) const;
    Response stop(const Request& request) const;

private:
    Response begin(const Call& call, const Request& request,
                   const messaging::NewBulk& wanted) const;

    const Host& host_;
};

}  // namespace patchbay::twilio_whatsapp
