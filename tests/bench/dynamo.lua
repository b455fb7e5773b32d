-- wrk -s dynamo.lua URL -- FILE: sends the requests of FILE, one a line, in
-- turn; a \1 stands for the end of a line of HTTP.  What dynamo.py reads of a
-- run is as in wrk.lua.

local requests, at = {}, 0

function init(args)
	for line in io.lines(args[1]) do
		requests[#requests + 1] = line:gsub('\1', '\r\n')
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'\nBENCH {"requests":%d,"duration_us":%d,"not_2xx":%d,' ..
		'"socket_errors":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
		summary.requests, summary.duration, e.status,
		e.connect + e.read + e.write + e.timeout,
		latency:percentile(50), latency:percentile(99), latency.max))
end
