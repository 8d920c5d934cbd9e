#include "store/store.hpp"

#include "store/test_store.hpp"

namespace patchbay {
namespace {

using Kind = StoreError::Kind;

Kind kind_of_failure(const std::function<void()>& call) {
    try {
        call();
    } catch (const StoreError& error) {
        return error.kind;
    }
    ADD_FAILURE() << "no StoreError was thrown";
    return Kind::internal;
}

class StoreValues : public StoreTest {};

TEST_F(StoreValues, ComeBackAsTheyWereGiven) {
    const auto store = open_with_things();
    const Value values[] = {
        {},
        int64_t{0},
        std::numeric_limits<int64_t>::min(),
        std::numeric_limits<int64_t>::max(),
        std::string(),
        std::string("Zimmer für zwei ☕"),
        std::string("a\0b", 3),
        Blob{""},
        Blob{std::string("\0\xff\0", 3)},
        Blob{std::string(3 << 20, '\x80')},
        0.5,
    };
    const Statement echo{"test.echo", "SELECT $1, typeof($1)"};
    for (const Value& value : values) {
        const Row row =
            store->read([&](Session& session) { return *session.first(echo, {value}); });
        const bool is_same = std::visit(
            [&](const auto& given) {
                using Given = std::decay_t<decltype(given)>;
                if constexpr (std::is_same_v<Given, std::monostate>) return row.is_null(0);
                if constexpr (std::is_same_v<Given, int64_t>) return row.number(0) == given;
                if constexpr (std::is_same_v<Given, std::string>) return row.text(0) == given;
                if constexpr (std::is_same_v<Given, Blob>) return row.bytes(0) == given.bytes;
                if constexpr (std::is_same_v<Given, double>) return row.value(0) == Value{given};
                return false;
            },
            value);
        EXPECT_TRUE(is_same) << "of type " << row.text(1);
    }
}

TEST_F(StoreValues, HaveTheTypeOfTheRowAlsoInExpressionsAndReturning) {
    const auto store = open_with_things();
    const Statement insert{"test.insert",
                           "INSERT INTO things (id, value) VALUES ($1, $2) "
                           "RETURNING id, id + 1, value, NULL, length(value), $1"};
    const Rows rows = store->write([&](Transaction& tx) {
        return tx.run(insert, {int64_t{7}, "seven"});
    });
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].number(0), 7);
    EXPECT_EQ(rows[0].number(1), 8);
    EXPECT_EQ(rows[0].text(2), "seven");
    EXPECT_TRUE(rows[0].is_null(3));
    EXPECT_EQ(rows[0].number(4), 5);
    EXPECT_EQ(rows[0].number(5), 7);
}

TEST_F(StoreValues, AreRefusedWhenReadAsAnotherType) {
    const Row row({int64_t{1}, std::string("text"), std::monostate{}});
    EXPECT_THROW(row.text(0), std::logic_error);
    EXPECT_THROW(row.number(1), std::logic_error);
    EXPECT_THROW(row.number(2), std::logic_error);
    EXPECT_EQ(row.maybe_number(2), std::nullopt);
    EXPECT_EQ(row.maybe_text(1), "text");
    EXPECT_EQ(row.text_or(2, "none"), "none");
}

class StoreStatements : public StoreTest {
protected:
    static std::string refusal(Store& store, const std::string& sql, const Values& values = {}) {
        try {
            store.write([&](Transaction& tx) { tx.run_text(sql, values); });
        } catch (const StoreError& error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(StoreStatements, UseAPlaceholderAsOftenAsTheyLike) {
    const auto store = open_with_things();
    const Rows rows = store->read([](Session& session) {
        return session.run_text("SELECT $1 || $2 || $1", {"a", "b"});
    });
    EXPECT_EQ(rows[0].text(0), "aba");
}

TEST_F(StoreStatements, RefusePlaceholdersOutOfOrderAndAWrongNumberOfValues) {
    const auto store = open_with_things();
    const auto expect = [&](const char* part, const std::string& sql, const Values& values) {
        const std::string text = refusal(*store, sql, values);
        EXPECT_NE(text.find(part), std::string::npos) << sql << ": " << text;
    };
    expect("ascending order", "SELECT $2, $1", {int64_t{1}, int64_t{2}});
    expect("ascending order", "SELECT ?", {int64_t{1}});
    expect("takes 2 parameters, got 1", "SELECT $1, $2", {int64_t{1}});
    expect("one statement", "SELECT 1; SELECT 2", {});
    expect("one statement", "-- nothing", {});
}

TEST_F(StoreStatements, CanBeRunAgainAfterAnError) {
    const auto store = open_with_things();
    for (int round = 0; round < 3; ++round) {
        add(*store, 2 * round);
        EXPECT_THROW(add(*store, 2 * round), StoreError);
        add(*store, 2 * round + 1);
    }
    EXPECT_EQ(count(*store), 6);
}

TEST_F(StoreStatements, FollowAChangeOfTheSchema) {
    const auto store = open_with_things();
    add(*store, 1);
    store->write([](Transaction& tx) { tx.run_script("ALTER TABLE things ADD COLUMN more TEXT"); });
    add(*store, 2);
    EXPECT_EQ(count(*store), 2);
}

TEST_F(StoreStatements, MadeAtRunTimeAreKeptUpToALimitAndStayRight) {
    const auto store = open_with_things();
    for (int round = 0; round < 2; ++round)
        for (int64_t i = 0; i < 200; ++i) {
            const std::string sql = "SELECT $1 + " + std::to_string(i);
            const Rows rows =
                store->read([&](Session& s) { return s.run_text(sql, {int64_t{1000}}); });
            EXPECT_EQ(rows[0].number(0), 1000 + i);
        }
}

TEST_F(StoreStatements, MadeAtRunTimeTouchNeitherTransactionsNorSettings) {
    const auto store = open_with_things();
    for (const char* sql : {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT work", "RELEASE work",
                            "PRAGMA synchronous=OFF", "ATTACH 'other.db' AS other", "VACUUM"})
        EXPECT_NE(refusal(*store, sql), "") << sql;
    EXPECT_THROW(store->write([](Transaction& tx) {
        tx.run(things_add, {int64_t{1}, {}});
        tx.run_script("INSERT INTO things (id) VALUES (2); COMMIT");
    }),
                 StoreError);
    EXPECT_EQ(count(*store), 0);
}

TEST_F(StoreStatements, TellHowManyRowsTheyChanged) {
    static const Statement set_all{"things.set_all", "UPDATE things SET value=$1", {}, true};
    static const Statement add_once{
        "things.add_once",
        "INSERT INTO things(id,value) VALUES($1,'x') ON CONFLICT(id) DO NOTHING"};
    const auto store = open_with_things();
    store->write([](Transaction& tx) {
        EXPECT_EQ(tx.change(set_all, {"none yet"}), 0U);
        EXPECT_EQ(tx.change(add_once, {int64_t{1}}), 1U);
        EXPECT_EQ(tx.change(add_once, {int64_t{1}}), 0U);
        EXPECT_EQ(tx.change(add_once, {int64_t{2}}), 1U);
        EXPECT_EQ(tx.change(set_all, {"all"}), 2U);
    });
}

TEST_F(StoreStatements, CheckForeignKeys) {
    const auto store = open_with_things();
    store->write([](Transaction& tx) {
        tx.run_script("CREATE TABLE parts (thing BIGINT NOT NULL REFERENCES things (id))");
    });
    EXPECT_NE(
        refusal(*store, "INSERT INTO parts (thing) VALUES ($1)", {int64_t{1}}).find("FOREIGN KEY"),
        std::string::npos);
}

class StoreWrites : public StoreTest {};

TEST_F(StoreWrites, AreDurableAndSeenByReadersBeforeDoneIsCalledG1) {
    const auto store = open_with_things();
    std::latch done(1);
    int64_t seen = 0;
    store->write_async(
        [](Transaction& tx) {
            tx.run(things_add, {int64_t{1}, "x"});
        },
        [&](std::exception_ptr error) {
            EXPECT_EQ(error, nullptr);
            seen = count(*store);
            done.count_down();
        });
    done.wait();
    EXPECT_EQ(seen, 1);
}

TEST_F(StoreWrites, ThatQueueTogetherShareOneCommit) {
    const auto store = open_with_things();
    constexpr int writes = 1000;
    std::latch done(writes);
    HeldWriter held(*store);
    const uint64_t before = store->commits();
    for (int i = 0; i < writes; ++i)
        store->write_async(
            [i](Transaction& tx) {
                tx.run(things_add, {int64_t{i}, "x"});
            },
            [&](std::exception_ptr) { done.count_down(); });
    EXPECT_EQ(store->queued(), static_cast<size_t>(writes));
    held.release();
    done.wait();
    EXPECT_EQ(store->commits() - before, 2U) << "one for the held write, one for the rest";
    EXPECT_EQ(count(*store), writes);
}

TEST_F(StoreWrites, FailAloneInAGroup) {
    const auto store = open_with_things();
    std::map<int, std::string> outcome;
    std::latch done(4);
    HeldWriter held(*store);
    const auto queue = [&](int number, Store::Work work) {
        store->write_async(std::move(work), [&, number](std::exception_ptr error) {
            try {
                if (error) std::rethrow_exception(error);
                outcome[number] = "kept";
            } catch (const std::exception& thrown) {
                outcome[number] = thrown.what();
            }
            done.count_down();
        });
    };
    queue(1, [](Transaction& tx) { tx.run(things_add, {int64_t{1}, "first"}); });
    queue(2, [](Transaction& tx) {
        tx.run(things_add, {int64_t{2}, "gone with the exception"});
        throw std::runtime_error("no room left");
    });
    queue(3, [](Transaction& tx) {
        tx.run(things_add, {int64_t{3}, "gone with the constraint"});
        tx.run(things_add, {int64_t{1}, "again"});
    });
    queue(4, [](Transaction& tx) { tx.run(things_add, {int64_t{4}, "last"}); });
    held.release();
    done.wait();
    EXPECT_EQ(outcome[1], "kept");
    EXPECT_EQ(outcome[2], "no room left");
    EXPECT_NE(outcome[3].find("UNIQUE constraint failed"), std::string::npos) << outcome[3];
    EXPECT_EQ(outcome[4], "kept");
    EXPECT_EQ(count(*store), 2);
}

TEST_F(StoreWrites, RethrowWhatTheWorkThrewAndGoOnAfterwards) {
    const auto store = open_with_things();
    add(*store, 1);
    EXPECT_EQ(kind_of_failure([&] { add(*store, 1); }), Kind::constraint);
    add(*store, 2);
    EXPECT_EQ(count(*store), 2);
}

TEST_F(StoreWrites, AreRefusedAboveTheLimitG19) {
    StoreConfig small = config();
    small.max_queued = 2;
    Store store(small, clock_);
    HeldWriter held(store);
    const auto nothing = [](Transaction&) {};
    std::latch done(2);
    for (int i = 0; i < 2; ++i)
        store.write_async(nothing, [&](std::exception_ptr) { done.count_down(); });
    EXPECT_EQ(kind_of_failure([&] { store.write_async(nothing, {}); }), Kind::unavailable);
    held.release();
    done.wait();
    store.write(nothing);
}

TEST_F(StoreWrites, DoNotNest) {
    const auto store = open_with_things();
    EXPECT_THROW(store->write([&](Transaction&) { add(*store, 1); }), std::logic_error);
}

TEST_F(StoreWrites, ThatAreQueuedAreFinishedAtTheEnd) {
    auto store = open_with_things();
    std::atomic<int> done{0};
    for (int i = 0; i < 3000; ++i)
        store->write_async(
            [i](Transaction& tx) {
                tx.run(things_add, {int64_t{i}, "x"});
            },
            [&](std::exception_ptr error) { done += error == nullptr ? 1 : 0; });
    store.reset();
    EXPECT_EQ(done, 3000);
    EXPECT_EQ(count(*open()), 3000);
}

class StoreReads : public StoreTest {};

TEST_F(StoreReads, SeeOneStateFromBeginningToEnd) {
    const auto store = open_with_things();
    add(*store, 1);
    const auto [before, after] = store->read([&](Session& session) {
        const int64_t first = session.first(things_count)->number(0);
        add(*store, 2);
        return std::pair(first, session.first(things_count)->number(0));
    });
    EXPECT_EQ(before, 1);
    EXPECT_EQ(after, 1);
    EXPECT_EQ(count(*store), 2);
}

TEST_F(StoreReads, CannotWrite) {
    const auto store = open_with_things();
    EXPECT_THROW(store->read([](Session& session) {
        return session.run(things_add, {int64_t{1}, "x"});
    }),
                 StoreError);
    EXPECT_EQ(count(*store), 0);
}

TEST_F(StoreReads, DoNotNest) {
    const auto store = open_with_things();
    EXPECT_THROW(store->read([&](Session&) { return count(*store); }), std::logic_error);
    EXPECT_EQ(count(*store), 0) << "the connection went back to the pool";
}

TEST_F(StoreReads, AndWritesFromManyThreadsStayConsistent) {
    const auto store = open_with_things();
    constexpr int writers = 4, each = 100;
    std::atomic<bool> torn{false};
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            for (int i = 0; i < each; ++i)
                store->write([&](Transaction& tx) {
                    const int64_t id = 2 * (w * each + i);
                    tx.run(things_add, {id, "x"});
                    tx.run(things_add, {id + 1, "y"});
                });
        });
    for (int r = 0; r < 6; ++r)
        threads.emplace_back([&] {
            for (int i = 0; i < each; ++i)
                if (count(*store) % 2 != 0) torn = true;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(torn);
    EXPECT_EQ(count(*store), 2 * writers * each);
}

class StoreLog : public StoreTest {
protected:
    uint64_t bytes() const { return std::filesystem::file_size(folder_.path() / "hub.db-wal"); }
    void write_mebibytes(Store& store, int count) {
        for (int i = 0; i < count; ++i) add(store, next_++, std::string(1 << 20, 'x'));
    }
    int64_t next_ = 0;
};

TEST_F(StoreLog, BeginsAgainAfterEightMebibytes) {
    const auto store = open_with_things();
    write_mebibytes(*store, 40);
    EXPECT_LT(bytes(), 12U << 20);
    EXPECT_GT(std::filesystem::file_size(file()), 30U << 20) << "the writer has copied it";
}

TEST_F(StoreLog, GrowsWhileAReaderNeedsAnOldStateAndShrinksAfterwards) {
    const auto store = open_with_things();
    store->read([&](Session& session) {
        const int64_t before = session.first(things_count)->number(0);
        write_mebibytes(*store, 100);
        EXPECT_GT(bytes(), 90U << 20);
        EXPECT_EQ(session.first(things_count)->number(0), before);
        return 0;
    });
    write_mebibytes(*store, 40);
    EXPECT_LT(bytes(), 70U << 20);
}

TEST_F(StoreLog, IsCopiedIntoTheFileAtTheEnd) {
    auto store = open_with_things();
    write_mebibytes(*store, 1);
    EXPECT_GT(bytes(), 1U << 20);
    store.reset();
    EXPECT_GT(std::filesystem::file_size(file()), 1U << 20);
}

class StoreChanges : public StoreTest {};

TEST_F(StoreChanges, AreToldAfterTheCommitAndBeforeTheWriterAnswers) {
    const auto store = open_with_things();
    std::vector<std::string> told;
    store->on_changes([&](Changes&& changes) {
        for (const Change& change : changes) told.push_back(change.what + (" " + change.id));
    });
    store->write([](Transaction& tx) {
        tx.note("made", "1");
        tx.note("changed", "1");
    });
    EXPECT_EQ(told, (std::vector<std::string>{"made 1", "changed 1"}));
    EXPECT_THROW(store->write([](Transaction& tx) {
        tx.note("made", "2");
        throw std::runtime_error("rolled back");
    }),
                 std::runtime_error);
    EXPECT_EQ(told.size(), 2u);
    store->on_changes({});
    store->write([](Transaction& tx) { tx.note("made", "3"); });
    EXPECT_EQ(told.size(), 2u);
}

TEST_F(StoreChanges, AreFollowedWithinTheWorkThatNotedThem) {
    const auto store = open_with_things();
    size_t runs = 0;
    store->on_noted([&](Transaction& tx, const Changes& changes) {
        ++runs;
        for (const Change& change : changes) {
            tx.run(things_add, {int64_t{std::stoll(change.id)}, std::string{change.what}});
        }
    });
    const auto count = [&] {
        return store->read([](Session& session) { return session.first(things_count)->number(0); });
    };
    store->write([](Transaction& tx) { tx.note("made", "1"); });
    EXPECT_EQ(count(), 1);
    store->write([](Transaction&) {});
    EXPECT_EQ(runs, 1u) << "only where something was noted";
    EXPECT_THROW(store->write([](Transaction& tx) {
        tx.note("made", "2");
        throw std::runtime_error("rolled back");
    }),
                 std::runtime_error);
    EXPECT_EQ(count(), 1);
    // What the follower cannot write undoes the work too.
    EXPECT_THROW(store->write([](Transaction& tx) {
        tx.run(things_add, {int64_t{3}, std::string{"work"}});
        tx.note("made", "1");
    }),
                 StoreError);
    EXPECT_EQ(count(), 1);
    store->on_noted({});
    store->write([](Transaction& tx) { tx.note("made", "4"); });
    EXPECT_EQ(count(), 1);
}

}  // namespace
}  // namespace patchbay
