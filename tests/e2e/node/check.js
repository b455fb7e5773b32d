// Named checks, one after another: "ok NAME", or "not ok NAME" and why, and
// then the program fails.
"use strict";

const checks = [];

exports.check = (name, run) => checks.push({name, run});

exports.run = async () => {
	let failed = 0;
	for (const {name, run} of checks) {
		try {
			await run();
			console.log("ok " + name);
		} catch (e) {
			failed++;
			console.log("not ok " + name + "\n" + (e.stack || e));
		}
	}
	process.exit(failed ? 1 : 0);
};

exports.settings = {
	endpoint: process.argv[2],
	region: "us-east-1",
	credentials: {
		accessKeyId: process.env.DYNAMO_KEY,
		secretAccessKey: process.env.DYNAMO_SECRET,
	},
};

exports.fresh = (what) =>
	what + "." + require("node:crypto").randomBytes(6).toString("hex");

// Calls until it gives something true, for at most `ms`.
exports.until = async (call, ms, what) => {
	for (const end = Date.now() + ms; ;) {
		const value = await call();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms for ${what}`);
		await new Promise((done) => setTimeout(done, 50));
	}
};
