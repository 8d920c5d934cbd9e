-- wrk: posts the signed requests of a file (requests.mjs), each once; threads take turns through it.
--   wrk ... -s requests.lua URL -- FILE THREADS
local threads = 0

function setup(thread)
   thread:set("id", threads)
   threads = threads + 1
end

function init(args)
   local file, count = args[1], tonumber(args[2])
   requests, position = {}, 0
   local number = 0
   for line in io.lines(file) do
      if number % count == id then
         local signature, body = line:match("^(%S+) (.*)$")
         requests[#requests + 1] = wrk.format("POST", nil, {
            ["Content-Type"] = "application/x-www-form-urlencoded",
            ["X-Twilio-Signature"] = signature,
         }, body)
      end
      number = number + 1
   end
end

function request()
   position = position + 1
   return requests[(position - 1) % #requests + 1]
end

-- One line for the script that started us: requests, seconds, microseconds of p50 and p99, what was no 2xx.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("RESULT %d %.3f %d %d %d\n", summary.requests, summary.duration / 1e6, latency:percentile(50),
      latency:percentile(99), errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
