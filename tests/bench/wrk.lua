-- What bench.py reads of a run: one line of JSON.  Only done() is set, so
-- nothing is added to the cost of a request.

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'\nBENCH {"requests":%d,"duration_us":%d,"not_2xx":%d,' ..
		'"socket_errors":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
		summary.requests, summary.duration, e.status,
		e.connect + e.read + e.write + e.timeout,
		latency:percentile(50), latency:percentile(99), latency.max))
end
