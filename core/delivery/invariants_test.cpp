#include "delivery/invariants.hpp"

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Statement break_waiting{
    "test.break_waiting", "UPDATE jobs SET state='waiting' WHERE state='ready'", {}, true};
const Statement break_running{
    "test.break_running", "UPDATE jobs SET state='running',lease_owner=NULL", {}, true};
const Statement break_ingress{
    "test.break_ingress",
    "INSERT INTO ingress(id,instance,route,method,url,headers,body,remote,received_at) "
    "VALUES(1,'sms','message','POST','/','[]',x'','127.0.0.1',0)"};
const Statement break_seq{"test.break_seq", "UPDATE messages SET seq=7 WHERE seq=2", {}, true};
const Statement break_rank{
    "test.break_rank", "UPDATE messages SET status='queued',rank=10", {}, true};
const Statement break_done{"test.break_done", "UPDATE jobs SET state='done'", {}, true};
const Statement break_request{
    "test.break_request",
    "INSERT INTO idempotency(scope,key,body_hash,state,started_at,expires_at) "
    "VALUES('s','k','h','running',0,1)"};

struct Break {
    const Statement& statement;
    const char* found;
};

class Invariants : public SenderTest {
protected:
    std::vector<std::string> broken() {
        return store.read(
            [&](Session& session) { return broken_invariants(session, clock.now_ms()); });
    }
};

TEST_F(Invariants, NameWhatIsBroken) {
    const Break breaks[] = {
        {break_waiting, "waiting jobs"}, {break_running, "without a lease"},
        {break_ingress, "not routed"},   {break_seq, "gap or a repeat"},
        {break_rank, "status is lower"}, {break_done, "without an accepted attempt"},
        {break_request, "five minutes"},
    };
    for (const auto& [statement, found] : breaks) {
        SCOPED_TRACE(found);
        const QueuedMessage first = queue("+15558675310");
        queue("+15558675310");
        callback("SM1", "sent", first.message_id);
        ASSERT_EQ(broken(), std::vector<std::string>{});
        // Undone at the end: each is looked for alone.
        EXPECT_THROW(store.write([&, &broken_by = statement](Transaction& tx) {
            tx.run(broken_by);
            const auto sentences = broken_invariants(tx, clock.now_ms());
            EXPECT_FALSE(sentences.empty());
            EXPECT_TRUE(std::any_of(
                sentences.begin(), sentences.end(),
                [&, text = found](const auto& s) { return s.find(text) != std::string::npos; }));
            throw std::runtime_error("undo");
        }),
                     std::runtime_error);
    }
}

}  // namespace
}  // namespace patchbay
