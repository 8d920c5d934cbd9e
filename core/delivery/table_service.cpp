#include "delivery/table_service.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <set>

#include "delivery/messaging_records.hpp"

namespace patchbay {
namespace {

constexpr size_t max_steps = 1'000;

/// One transaction of a plugin: first what needs no transaction, then the steps in their order.
class Steps {
public:
    Steps(const TableService& service, const ServiceCaller& caller,
          const std::vector<tables::TableStep>& steps)
        : service_(service),
          caller_(caller),
          scope_(service.tables.scope_of(caller.plugin)),
          steps_(steps) {
        if (steps.size() > max_steps)
            throw Error(ErrorKind::request, "a transaction has more than 1,000 steps");
        for (const tables::TableStep& step : steps) {
            require_one(step);
            drafts_.push_back(step.message
                                  ? std::optional{draft_of(service.messaging, *step.message, "")}
                                  : std::nullopt);
        }
    }

    /// May run again.
    std::vector<tables::Rows> run(Transaction& tx) {
        queues_.clear();
        std::vector<tables::Rows> rows;
        for (size_t i = 0; i < steps_.size(); ++i) rows.push_back(run_one(tx, i));
        return rows;
    }
    const std::set<std::string>& queues() const { return queues_; }  ///< To wake.

private:
    static void require_one(const tables::TableStep& step) {
        const int set = step.statement.has_value() + step.message.has_value() +
                        step.operation.has_value() + step.event.has_value() +
                        step.conversation.has_value();
        if (set != 1) throw Error(ErrorKind::request, "each step of a transaction is one thing");
    }

    tables::Rows run_one(Transaction& tx, size_t place) {
        const tables::TableStep& step = steps_[place];
        if (step.statement) return run_statement(tx, scope_, *step.statement);
        if (step.message)
            queues_.insert(queue_message(tx, service_.messaging.mint, *drafts_[place],
                                         service_.store.clock().now_ms())
                               .channel);
        if (step.operation) queues_.insert(service_.operations.queue(tx, caller_, *step.operation));
        if (step.event)
            for (std::string& queue : service_.events.publish(tx, caller_, *step.event))
                queues_.insert(std::move(queue));
        if (step.conversation) change_conversation(tx, service_.messaging, *step.conversation);
        return {};
    }

    const TableService& service_;
    const ServiceCaller& caller_;
    const TableScope scope_;
    const std::vector<tables::TableStep>& steps_;
    std::vector<std::optional<Draft>> drafts_;
    std::set<std::string> queues_;
};

std::string transact(const TableService& service, const ServiceCaller& caller,
                     std::string_view in) {
    std::vector<tables::TableStep> wanted;
    wire::unpack(in, wire::Text::checked, wanted);
    Steps steps(service, caller, wanted);
    std::vector<tables::Rows> rows;
    try {
        rows = service.store.write([&](Transaction& tx) { return steps.run(tx); });
    } catch (const StoreError& error) {
        rethrow_in_terms_of_plugins(error);
    } catch (const SendRefused& refused) {
        throw error_of(refused);
    }
    for (const std::string& queue : steps.queues()) service.messaging.wake(queue);
    return wire::pack(rows);
}

}  // namespace

void register_table_service(HostServices& services, TableService service) {
    const auto shared = std::make_shared<const TableService>(std::move(service));
    const auto add = [&](uint32_t number, auto function) {
        services.register_method(
            "tables/1", number,
            [shared, function](const ServiceCaller& caller, std::string_view in) {
                return function(*shared, caller, in);
            });
    };
    add(method::table_query, [](const TableService& own, const ServiceCaller& caller,
                                std::string_view in) {
        tables::Statement statement;
        wire::unpack(in, wire::Text::checked, statement);
        return wire::pack(query_tables(own.store, own.tables.scope_of(caller.plugin), statement));
    });
    add(method::table_transaction, transact);
}

}  // namespace patchbay
