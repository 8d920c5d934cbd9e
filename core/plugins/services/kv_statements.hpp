// SQL of plugin storage (data-model.md section 6, small ones).
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement kv_find{
    "kv.find",
    "SELECT value,version FROM kv WHERE instance=$1 AND key=$2 AND (expires_at=0 OR expires_at>$3)",
    {"PRIMARY"}};
inline const Statement kv_put{
    "kv.put",
    "INSERT INTO kv(instance,key,value,expires_at,updated_at) VALUES($1,$2,$3,$4,$5) ON "
    "CONFLICT(instance,key) DO UPDATE SET "
    "value=excluded.value,version=kv.version+1,expires_at=excluded.expires_at,updated_at=excluded."
    "updated_at RETURNING version"};
inline const Statement kv_put_new{
    "kv.put_new",
    "INSERT INTO kv(instance,key,value,expires_at,updated_at) VALUES($1,$2,$3,$4,$5) ON "
    "CONFLICT(instance,key) DO UPDATE SET "
    "value=excluded.value,version=kv.version+1,expires_at=excluded.expires_at,updated_at=excluded."
    "updated_at WHERE kv.expires_at>0 AND kv.expires_at<=excluded.updated_at RETURNING version"};
inline const Statement kv_put_if{
    "kv.put_if",
    "UPDATE kv SET value=$1,version=version+1,expires_at=$2,updated_at=$3 WHERE instance=$4 AND "
    "key=$5 AND version=$6 AND (expires_at=0 OR expires_at>$3) RETURNING version",
    {"PRIMARY"}};
inline const Statement kv_erase{
    "kv.erase", "DELETE FROM kv WHERE instance=$1 AND key=$2", {"PRIMARY"}};
inline const Statement kv_keys{
    "kv.keys",
    "SELECT key FROM kv WHERE instance=$1 AND key>=$2 AND key<$3 AND (expires_at=0 OR "
    "expires_at>$4) ORDER BY key LIMIT $5",
    {"PRIMARY"}};

}  // namespace patchbay::sql
