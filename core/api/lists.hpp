// Lists: query keys, cursors, and pages that are read in steps of bounded size.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/exchange.hpp"
#include "http/query.hpp"
#include "store/store.hpp"

namespace patchbay {

/// Where a page begins: after the row with this order. What the two mean is the list's own.
struct Cursor {
    int64_t number = INT64_MAX;
    std::string text = "g";  ///< Behind every UUID: the first page.
};

/// For RouteSpec::query of a list: its filters, limit and cursor.
std::vector<QueryKey> list_query(std::vector<QueryKey> filters = {});
/// For RouteSpec::answers of a list.
std::vector<RouteAnswer> page_of(const std::string& schema);

/// The query of a list, whose keys the pipeline has held against RouteSpec::query. Throws Problem:
/// invalid_cursor, invalid_field (limit, since).
class ListRequest {
public:
    static constexpr size_t most = 200;
    /// `list` names the list in cursors: one list's cursor is refused by another.
    ListRequest(const HttpRequest& request, std::string list);

    size_t limit() const { return limit_; }
    const Cursor& start() const { return start_; }
    /// A filter's value; nullopt when absent or empty.
    std::optional<std::string> filter(std::string_view key) const;
    /// True when the filter is absent or equals the value.
    bool admits(std::string_view key, std::string_view value) const;
    /// `since` as a time; 0 when absent.
    TimeMs since() const { return since_; }
    std::string cursor_text(const Cursor& cursor) const;

private:
    Query query_;
    std::string list_;
    size_t limit_ = 50;
    Cursor start_;
    TimeMs since_ = 0;
};

enum class Keep { yes, no, stop };

/// How a list is read: in its order, some rows at a time.
template <class Item>
struct Scan {
    std::function<std::vector<Item>(const Cursor& after, int64_t count)> fetch;
    std::function<Cursor(const Item&)> cursor_of;
    std::function<Keep(const Item&)> judge;  ///< stop: nothing behind this row can match.
};

template <class Item>
struct Page {
    std::vector<Item> items;
    std::optional<Cursor> next;
};

/// A list of which the caller may see a part: `window` finds the last of the next `count` rows,
/// visible or not (nullopt: there are no more than those), and `fetch` gives the visible ones from
/// behind `after` up to it (nullopt: up to the end).
template <class Item>
struct SeenScan {
    std::function<std::optional<Cursor>(const Cursor& after, int64_t count)> window;
    std::function<std::vector<Item>(const Cursor& after, const std::optional<Cursor>& last)> fetch;
    std::function<Cursor(const Item&)> cursor_of;
    std::function<Keep(const Item&)> judge;
};

/// `step` gives the next rows behind a place and where the rows after them begin (nullopt: there
/// are none). At most 2,000 rows are looked at: a rare filter gives short pages with a `next`,
/// never a slow one.
template <class Item, class Scan, class Step>
Page<Item> read_in_steps(const Scan& scan, const ListRequest& list, Step&& step) {
    constexpr int64_t rows_of_a_step = 200;
    constexpr int steps = 10;
    Page<Item> page;
    Cursor at = list.start();
    for (int i = 0; i < steps; ++i) {
        const auto [rows, last] = step(at, rows_of_a_step);
        for (const Item& row : rows) {
            const Keep keep = scan.judge(row);
            if (keep == Keep::stop) return page;
            if (keep == Keep::yes && page.items.size() == list.limit()) {
                page.next = at;
                return page;
            }
            at = scan.cursor_of(row);
            if (keep == Keep::yes) page.items.push_back(row);
        }
        if (!last) return page;
        at = *last;
    }
    page.next = at;
    return page;
}

template <class Item>
using RowsUpTo = std::pair<std::vector<Item>, std::optional<Cursor>>;

template <class Item>
Page<Item> read_page(const SeenScan<Item>& scan, const ListRequest& list) {
    return read_in_steps<Item>(scan, list, [&](const Cursor& at, int64_t count) {
        const auto last = scan.window(at, count);
        return RowsUpTo<Item>{scan.fetch(at, last), last};
    });
}

template <class Item>
Page<Item> read_page(const Scan<Item>& scan, const ListRequest& list) {
    return read_in_steps<Item>(scan, list, [&](const Cursor& at, int64_t count) {
        auto rows = scan.fetch(at, count);
        const bool is_full = rows.size() == static_cast<size_t>(count);
        auto last = is_full ? std::optional(scan.cursor_of(rows.back())) : std::nullopt;
        return RowsUpTo<Item>{std::move(rows), std::move(last)};
    });
}

}  // namespace patchbay
