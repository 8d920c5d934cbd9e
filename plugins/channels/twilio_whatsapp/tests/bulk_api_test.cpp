#include "endpoints.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

const std::string job = "0193a1c4-7b1e-7cc0-8e0f-3a5e8c1d2b4f";

struct WhatsAppBulk : Endpoints {
    messaging::BulkInfo bulk{.id = job, .status = "running", .total = 2, .queued = 2};
    messaging::NewBulk asked;
    std::tuple<std::string, messaging::Asker, uint32_t, uint32_t> looked_for;

    WhatsAppBulk() {
        hub_answers<Call, messaging::NewBulk>(method::start_bulk,
                                              [this](const Call&, const messaging::NewBulk& one) {
                                                  asked = one;
                                                  return bulk;
                                              });
        hub_answers<std::string, messaging::Asker, uint32_t, uint32_t>(
            method::find_bulk,
            [this](const auto& id, const auto& asker, uint32_t first, uint32_t count) {
                looked_for = {id, asker, first, count};
                return id == job ? std::optional{bulk} : std::nullopt;
            });
        hub_answers<std::string, messaging::Asker>(
            method::stop_bulk, [this](const auto& id, const auto&) {
                bulk.status = "stopped";
                return id == job ? std::optional{bulk} : std::nullopt;
            });
    }
};

const std::string seed =
    R"({"phone_numbers":["+27123456789","+27987654321"],"message_text":"Maintenance alert"})";

TEST_F(WhatsAppBulk, IsQueuedS3_02_S3_18) {
    const Response reply = post("send_bulk", seed);
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(reply.body, R"({"job_id":")" + job +
                              R"(","status":"running","total":2,"queued":2,"successful":0,)"
                              R"("failed":0,"duplicates":0,"progress_url":)"
                              R"("/api/whatsapp/send-bulk/)" +
                              job + R"(","results":[]})");
    EXPECT_EQ(asked.channel, "under_test");
    EXPECT_EQ(asked.to, (std::vector<std::string>{"+27123456789", "+27987654321"}));
    EXPECT_EQ(asked.text, "Maintenance alert");
    EXPECT_EQ(asked.asker.user, "u1");
    EXPECT_EQ(asked.asker.departments, std::vector<std::string>{"Reception"});
}

TEST_F(WhatsAppBulk, HasAResultForEachNumber) {
    bulk = {.id = job,
            .status = "done",
            .total = 3,
            .successful = 1,
            .failed = 1,
            .started_ms = 1'800'000'000'123,
            .finished_ms = 1'800'000'001'456};
    bulk.results = {{.to = "+27123456789",
                     .message = message_id,
                     .provider_id = "SM1",
                     .status = DeliveryStatus::delivered},
                    {.to = "12",
                     .code = "invalid_phone_number",
                     .reason = "needs the country code",
                     .status = DeliveryStatus::failed}};
    const Response reply = get("bulk", {{"limit", "2"}}, {{"job_id", job}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(
        reply.body,
        R"({"job_id":")" + job +
            R"(","status":"done","total":3,"queued":0,"successful":1,"failed":1,"duplicates":0,)"
            R"("started_at":"2027-01-15T08:00:00.123Z","finished_at":"2027-01-15T08:00:01.456Z",)"
            R"("results":[{"phone_number":"+27123456789","success":true,"id":")" +
            message_id +
            R"(","message_id":"SM1","status":"sent","error":null},)"
            R"({"phone_number":"12","success":false,"id":null,"message_id":null,)"
            R"("status":"failed","error":{"code":"invalid_phone_number",)"
            R"("reason":"needs the country code"}}],"next":"2"})");
    get("bulk", {{"cursor", "2"}}, {{"job_id", job}});
    EXPECT_EQ(std::get<2>(looked_for), 2u);
    EXPECT_EQ(std::get<3>(looked_for), 50u);
}

TEST_F(WhatsAppBulk, KnowsOnlyItsJobs) {
    expect_problem(get("bulk", {}, {{"job_id", "abc"}}), 404, "unknown_id");
    expect_problem(post("stop_bulk", "", {{"job_id", "abc"}}), 404, "unknown_id");
    expect_problem(get("bulk", {{"cursor", "x"}}, {{"job_id", job}}), 400, "invalid_cursor");
    expect_problem(get("bulk", {{"limit", "201"}}, {{"job_id", job}}), 422, "invalid_field",
                   "?limit");
}

TEST_F(WhatsAppBulk, StopsWhenAsked) {
    const Response reply = post("stop_bulk", "", {{"job_id", job}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(twilio::text_at(*twilio::parse_object(reply.body), "status"), "stopped");
}

TEST_F(WhatsAppBulk, EstimatesWithoutSending) {
    bulk = {.status = "dry_run", .total = 2, .recipients = 2, .segments = 2};
    const Response reply =
        post("send_bulk", seed.substr(0, seed.size() - 1) + R"(,"dry_run":true})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(asked.dry_run);
    const auto json = twilio::parse_object(reply.body);
    EXPECT_TRUE(json->isNull("job_id"));
    EXPECT_TRUE(json->isNull("progress_url"));
    EXPECT_EQ(twilio::text_at(*json, "status"), "dry_run");
    EXPECT_EQ(twilio::text_at(*json->getObject("estimate"), "segments"), "2");
}

TEST_F(WhatsAppBulk, WantsAConfirmationForMany) {
    bulk = {.status = "unconfirmed", .total = 1001, .recipients = 1001, .segments = 1001};
    const Response reply = post("send_bulk", seed);
    expect_problem(reply, 409, "confirmation_required");
    EXPECT_EQ(twilio::text_at(*twilio::parse_object(reply.body), "recipients"), "1001");
    post("send_bulk", seed.substr(0, seed.size() - 1) + R"(,"confirm":1001})");
    EXPECT_EQ(asked.confirm, 1001);
}

TEST_F(WhatsAppBulk, PassesOnWhatTheHubRefuses) {
    for (const char* code : {"daily_cap", "invalid_phone_number", "text_too_long"}) {
        SCOPED_TRACE(code);
        channel.host_answers(method::start_bulk, [code](std::string_view) -> std::string {
            Error error{ErrorKind::refused, "because"};
            error.code = code;
            throw error;
        });
        expect_problem(post("send_bulk", seed), 422, code,
                       std::string{code} == "invalid_phone_number" ? "/phone_numbers/0" : "");
    }
}

struct BadCase {
    const char* body;
    const char* code;
    const char* pointer;
};

TEST_F(WhatsAppBulk, TellsWhatIsWrongWithTheRequestS3_40) {
    const BadCase cases[] = {
        {R"({"message_text":"x"})", "missing_field", "/phone_numbers"},
        {R"({"phone_numbers":"+27123456789","message_text":"x"})", "invalid_field",
         "/phone_numbers"},
        {R"({"phone_numbers":[],"message_text":"x"})", "invalid_field", "/phone_numbers"},
        {R"({"phone_numbers":["+27123456789",7],"message_text":"x"})", "invalid_field",
         "/phone_numbers/1"},
        {R"({"phone_numbers":["+27123456789"]})", "missing_field", "/message_text"},
        {R"({"phone_numbers":["+27123456789"],"message_text":"x","confirm":"1"})", "invalid_field",
         "/confirm"},
        {R"({"phone_numbers":["+27123456789"],"message_text":"x","dry_run":1})", "invalid_field",
         "/dry_run"},
    };
    for (const auto& [body, code, pointer] : cases) {
        SCOPED_TRACE(body);
        expect_problem(post("send_bulk", body), 422, code, pointer);
    }
    expect_problem(post("send_bulk", "{"), 400, "invalid_json");
}

TEST_F(WhatsAppBulk, GoesToBusinessScopedIdsToo) {
    post("send_bulk", R"({"phone_numbers":["US.1349","whatsapp:US.1350"],"message_text":"x"})");
    EXPECT_EQ(asked.to, (std::vector<std::string>{"user:US.1349", "user:US.1350"}));
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
