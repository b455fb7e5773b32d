// Dynamoose's models against a DynamoDB endpoint.
"use strict";

const assert = require("node:assert/strict");
const dynamoose = require("dynamoose");
const {check, run, settings, fresh, until} = require("./check.js");

const ddb = new dynamoose.aws.ddb.DynamoDB(settings);
dynamoose.aws.ddb.set(ddb);

const table = fresh("Cats");
const schema = new dynamoose.Schema({
	owner: {type: String, hashKey: true},
	name: {type: String, rangeKey: true},
	breed: {type: String, index: {name: "byBreed", rangeKey: "age"}},
	age: {type: Number, default: 1},
	tags: {type: Set, schema: [String]},
	vet: {type: Object, schema: {name: String, visits: Number}},
	toys: {type: Array, schema: [String]},
	born: Date,
	photo: Buffer,
	indoor: Boolean,
	lives: {type: Number, validate: (n) => n <= 9},
}, {timestamps: true});
const options = {initialize: false, throughput: "ON_DEMAND",
	update: ["indexes", "ttl"],
	waitForActive: {enabled: true, check: {frequency: 50, timeout: 10000}}};
const Cat = dynamoose.model(table, schema);
const Table = new dynamoose.Table(table, [Cat], options);

const named = (cats) => cats.map((c) => c.name);

check("create makes table and item", async () => {
	await Table.initialize();
	const born = new Date("2020-02-29T12:00:00.000Z");
	await Cat.create({owner: "ann", name: "Tom", breed: "siamese",
		tags: new Set(["shy", "small"]), vet: {name: "Vera", visits: 2},
		toys: ["ball"], born, photo: Buffer.from([0, 255]), indoor: true,
		lives: 9});
	const tom = await Cat.get({owner: "ann", name: "Tom"});
	assert.equal(tom.age, 1);
	assert.deepEqual(tom.tags, new Set(["shy", "small"]));
	assert.equal(tom.vet.visits, 2);
	assert.deepEqual([...tom.toys], ["ball"]);
	assert.equal(tom.born.getTime(), born.getTime());
	assert.deepEqual(Buffer.from(tom.photo), Buffer.from([0, 255]));
	assert.ok(tom.indoor && tom.createdAt instanceof Date);
});

check("create does not overwrite", async () => {
	await assert.rejects(Cat.create({owner: "ann", name: "Tom"}),
		{name: "ConditionalCheckFailedException"});
	await assert.rejects(Cat.create({owner: "ann", name: "X", lives: 10}),
		{name: "ValidationError"});
});

check("get of what is not there", async () => {
	assert.equal(await Cat.get({owner: "ann", name: "none"}), undefined);
});

check("update sets, adds, removes", async () => {
	const key = {owner: "ann", name: "Tom"};
	const tom = await Cat.update(key, {$SET: {age: 4, vet:
		{name: "Vic", visits: 3}}, $ADD: {lives: -1}, $REMOVE: ["indoor"]});
	assert.equal(tom.age, 4);
	assert.equal(tom.lives, 8);
	assert.equal(tom.vet.name, "Vic");
	assert.equal(tom.indoor, undefined);
	await assert.rejects(Cat.update(key, {age: 5}, {condition:
		new dynamoose.Condition().filter("age").gt(10)}),
	{name: "ConditionalCheckFailedException"});
});

check("save changes an item that was read", async () => {
	const tom = await Cat.get({owner: "ann", name: "Tom"});
	tom.age = 5;
	await tom.save();
	assert.equal((await Cat.get({owner: "ann", name: "Tom"})).age, 5);
});

check("batches put, get and delete", async () => {
	const cats = [];
	for (let n = 0; n < 20; n++)
		cats.push({owner: "bob", name: "cat" + String(n).padStart(2, "0"),
			breed: n % 2 ? "persian" : "manx", age: n});
	const put = await Cat.batchPut(cats);
	assert.deepEqual([...put.unprocessedItems], []);
	const got = await Cat.batchGet([{owner: "bob", name: "cat03"},
		{owner: "bob", name: "cat04"}]);
	assert.deepEqual(named(got).sort(), ["cat03", "cat04"]);
	const gone = await Cat.batchDelete([{owner: "bob", name: "cat19"}]);
	assert.deepEqual([...gone.unprocessedItems], []);
});

check("query by key, order and page", async () => {
	const some = await Cat.query("owner").eq("bob").where("name")
		.between("cat05", "cat07").exec();
	assert.deepEqual(named(some), ["cat05", "cat06", "cat07"]);
	const first = await Cat.query("owner").eq("bob").sort("descending")
		.limit(3).exec();
	assert.deepEqual(named(first), ["cat18", "cat17", "cat16"]);
	const next = await Cat.query("owner").eq("bob").sort("descending")
		.limit(2).startAt(first.lastKey).exec();
	assert.deepEqual(named(next), ["cat15", "cat14"]);
	const {count} = await Cat.query("owner").eq("bob").count().exec();
	assert.equal(count, 19);
});

check("query an index with a filter", async () => {
	const found = await Cat.query("breed").eq("persian").where("age").ge(10)
		.using("byBreed").exec();
	assert.deepEqual(named(found), ["cat11", "cat13", "cat15", "cat17"]);
	const odd = await Cat.query("owner").eq("bob").filter("age").in([3, 4])
		.attributes(["name"]).exec();
	assert.deepEqual(odd.map((c) => c.toJSON()),
		[{name: "cat03"}, {name: "cat04"}]);
});

check("scan with filters, all pages, in segments", async () => {
	const old = await Cat.scan("age").gt(15).exec();
	assert.deepEqual(named(old).sort(), ["cat16", "cat17", "cat18"]);
	assert.equal((await Cat.scan().limit(4).all().exec()).length, 20);
	const parts = await Cat.scan().parallel(3).exec();
	assert.equal(parts.length, 20);
	const some = await Cat.scan("breed").beginsWith("si").or()
		.where("tags").contains("shy").exec();
	assert.deepEqual(named(some), ["Tom"]);
});

check("transactions are whole or not at all", async () => {
	await dynamoose.transaction([
		Cat.transaction.create({owner: "eve", name: "one"}),
		Cat.transaction.update({owner: "ann", name: "Tom"},
			{$ADD: {age: 1}}),
		Cat.transaction.delete({owner: "bob", name: "cat18"}),
		Cat.transaction.condition({owner: "bob", name: "cat17"},
			new dynamoose.Condition("age").eq(17)),
	]);
	await assert.rejects(dynamoose.transaction([
		Cat.transaction.create({owner: "eve", name: "two"}),
		Cat.transaction.create({owner: "eve", name: "one"}),
	]), {name: "TransactionCanceledException"});
	assert.equal(await Cat.get({owner: "eve", name: "two"}), undefined);
	const [one, tom] = await dynamoose.transaction([
		Cat.transaction.get({owner: "eve", name: "one"}),
		Cat.transaction.get({owner: "ann", name: "Tom"}),
	]);
	assert.deepEqual([one.name, tom.age], ["one", 6]);
});

check("what expires is gone", async () => {
	const name = fresh("Sessions");
	const Session = dynamoose.model(name, new dynamoose.Schema({id: String}));
	const timed = new dynamoose.Table(name, [Session], {...options,
		expires: {ttl: 1000, attribute: "until"}});
	await timed.initialize();
	const told = await ddb.describeTimeToLive({TableName: name});
	assert.deepEqual(told.TimeToLiveDescription,
		{TimeToLiveStatus: "ENABLED", AttributeName: "until"});
	await Session.create({id: "short"});
	await Session.create({id: "long",
		until: new Date(Date.now() + 1000000)});
	await until(async () => !await Session.get("short"), 10000,
		"the session to expire");
	assert.ok(await Session.get("long"));
	await ddb.deleteTable({TableName: name});
});

check("a model that changed changes its indexes", async () => {
	const name = fresh("Things");
	const old = dynamoose.model(name, new dynamoose.Schema({
		id: String, kind: {type: String, index: {name: "byKind"}}}));
	await new dynamoose.Table(name, [old], options).initialize();
	await old.create({id: "a", kind: "k", size: 3});
	const next = dynamoose.model(name, new dynamoose.Schema({
		id: String, kind: String,
		size: {type: Number, index: {name: "bySize"}}}));
	await new dynamoose.Table(name, [next], options).initialize();
	const indexes = await until(async () => {
		const {Table: t} = await ddb.describeTable({TableName: name});
		const found = t.GlobalSecondaryIndexes || [];
		return found.length === 1 && found[0].IndexStatus === "ACTIVE" &&
			found;
	}, 10000, "the indexes to change");
	assert.equal(indexes[0].IndexName, "bySize");
	await next.create({id: "b", size: 8});
	assert.deepEqual((await next.query("size").eq(8).exec())
		.map((t) => t.id), ["b"]);
	await ddb.deleteTable({TableName: name});
});

check("delete takes an item away", async () => {
	await Cat.delete({owner: "ann", name: "Tom"});
	assert.equal(await Cat.get({owner: "ann", name: "Tom"}), undefined);
	await ddb.deleteTable({TableName: table});
});

run();
