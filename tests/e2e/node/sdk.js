// AWS's own SDK for JavaScript, version 3, against a DynamoDB endpoint.
"use strict";

const assert = require("node:assert/strict");
const db = require("@aws-sdk/client-dynamodb");
const doc = require("@aws-sdk/lib-dynamodb");
const streams = require("@aws-sdk/client-dynamodb-streams");
const {check, run, settings, fresh, until} = require("./check.js");

const client = new db.DynamoDBClient({...settings, maxAttempts: 1});
const documents = doc.DynamoDBDocumentClient.from(client);
const TableName = fresh("songs");
const wait = {client, minDelay: 1, maxDelay: 1, maxWaitTime: 10};

check("a table, awaited", async () => {
	await client.send(new db.CreateTableCommand({
		TableName, BillingMode: "PAY_PER_REQUEST",
		KeySchema: [{AttributeName: "artist", KeyType: "HASH"},
			{AttributeName: "title", KeyType: "RANGE"}],
		AttributeDefinitions: ["artist", "title", "genre"].map((n) =>
			({AttributeName: n, AttributeType: "S"})),
		GlobalSecondaryIndexes: [{IndexName: "byGenre",
			KeySchema: [{AttributeName: "genre", KeyType: "HASH"}],
			Projection: {ProjectionType: "KEYS_ONLY"}}],
		StreamSpecification: {StreamEnabled: true,
			StreamViewType: "NEW_IMAGE"},
	}));
	const {state} = await db.waitUntilTableExists(wait, {TableName});
	assert.equal(state, "SUCCESS");
});

check("typed items", async () => {
	const Item = {artist: {S: "Bowie"}, title: {S: "Heroes"},
		year: {N: "1977"}, cover: {B: new Uint8Array([0, 1, 255])},
		tags: {SS: ["a", "b"]}, live: {BOOL: false}, none: {NULL: true},
		more: {M: {l: {L: [{N: "1"}]}}}};
	await client.send(new db.PutItemCommand({TableName, Item}));
	const found = await client.send(new db.GetItemCommand({TableName,
		Key: {artist: Item.artist, title: Item.title}}));
	assert.deepEqual({...found.Item, tags: {SS: found.Item.tags.SS.sort()},
		cover: {B: new Uint8Array(found.Item.cover.B)}}, Item);
});

check("documents", async () => {
	const Key = {artist: "Reed", title: "Berlin"};
	await documents.send(new doc.PutCommand({TableName, Item: {...Key,
		genre: "rock", rating: 5, notes: {deep: [1, {er: null}]},
		tags: new Set(["x"])}}));
	const {Attributes} = await documents.send(new doc.UpdateCommand({
		TableName, Key, ReturnValues: "ALL_NEW",
		UpdateExpression: "SET rating = rating + :n, notes.deep[0] = :s",
		ExpressionAttributeValues: {":n": 1, ":s": "one"}}));
	assert.equal(Attributes.rating, 6);
	assert.deepEqual(Attributes.notes, {deep: ["one", {er: null}]});
	const {Item} = await documents.send(new doc.GetCommand({TableName, Key,
		ProjectionExpression: "rating, tags"}));
	assert.deepEqual(Item, {rating: 6, tags: new Set(["x"])});
});

check("errors have their classes", async () => {
	const Key = {artist: {S: "Reed"}, title: {S: "Berlin"}};
	await assert.rejects(client.send(new db.PutItemCommand({TableName,
		Item: Key, ConditionExpression: "attribute_not_exists(artist)",
		ReturnValuesOnConditionCheckFailure: "ALL_OLD"})), (e) =>
		e instanceof db.ConditionalCheckFailedException &&
		e.Item.rating.N === "6" && e.$metadata.httpStatusCode === 400 &&
		e.$metadata.requestId.length === 52);
	await assert.rejects(client.send(new db.GetItemCommand(
		{TableName: fresh("none"), Key})),
	(e) => e instanceof db.ResourceNotFoundException);
	await assert.rejects(client.send(new db.TransactWriteItemsCommand({
		TransactItems: [{ConditionCheck: {TableName, Key,
			ConditionExpression: "rating > :n",
			ExpressionAttributeValues: {":n": {N: "100"}}}}]})), (e) =>
		e instanceof db.TransactionCanceledException &&
		e.CancellationReasons[0].Code === "ConditionalCheckFailed");
	const stranger = new db.DynamoDBClient({...settings, maxAttempts: 1,
		credentials: {...settings.credentials, secretAccessKey: "no"}});
	await assert.rejects(stranger.send(new db.ListTablesCommand({})),
		{name: "InvalidSignatureException"});
});

check("pages", async () => {
	for (let from = 0; from < 50; from += 25)
		await documents.send(new doc.BatchWriteCommand({RequestItems: {
			[TableName]: [...Array(25).keys()].map((n) => ({PutRequest: {
				Item: {artist: "many", genre: "g",
					title: String(from + n).padStart(3, "0")}}}))}}));
	const seen = [];
	for await (const page of doc.paginateQuery(
		{client: documents, pageSize: 20}, {TableName,
			KeyConditionExpression: "artist = :a",
			ExpressionAttributeValues: {":a": "many"}}))
		seen.push(page.Items.length);
	assert.deepEqual(seen.filter((n) => n), [20, 20, 10]);
	let all = 0;
	for await (const page of db.paginateScan({client, pageSize: 17},
		{TableName, IndexName: "byGenre"}))
		all += page.Count;
	assert.equal(all, 51);
});

check("transactions and statements", async () => {
	await documents.send(new doc.TransactWriteCommand({TransactItems: [
		{Put: {TableName, Item: {artist: "t", title: "1", n: 1}}},
		{Delete: {TableName, Key: {artist: "many", title: "000"}}}]}));
	const {Responses} = await documents.send(new doc.TransactGetCommand({
		TransactItems: [{Get: {TableName, Key: {artist: "t", title: "1"}}},
			{Get: {TableName, Key: {artist: "many", title: "000"}}}]}));
	assert.deepEqual(Responses.map((r) => r.Item && r.Item.n), [1, undefined]);
	const {Items} = await documents.send(new doc.ExecuteStatementCommand({
		Statement: `SELECT n FROM "${TableName}" WHERE artist = ?`,
		Parameters: ["t"]}));
	assert.deepEqual(Items, [{n: 1}]);
});

check("a stream", async () => {
	const feed = new streams.DynamoDBStreamsClient(settings);
	const {Table} = await client.send(new db.DescribeTableCommand({TableName}));
	const StreamArn = Table.LatestStreamArn;
	const {StreamDescription} = await feed.send(
		new streams.DescribeStreamCommand({StreamArn}));
	const titles = [];
	for (const {ShardId} of StreamDescription.Shards) {
		let {ShardIterator} = await feed.send(
			new streams.GetShardIteratorCommand({StreamArn, ShardId,
				ShardIteratorType: "TRIM_HORIZON"}));
		await until(async () => {
			const got = await feed.send(
				new streams.GetRecordsCommand({ShardIterator}));
			titles.push(...got.Records.map((r) =>
				r.dynamodb.Keys.title.S));
			ShardIterator = got.NextShardIterator;
			return !ShardIterator || got.Records.length === 0;
		}, 5000, "the shard's end");
	}
	assert.deepEqual(titles.slice(0, 3), ["Heroes", "Berlin", "Berlin"]);
	feed.destroy();
});

check("a table gone, awaited", async () => {
	await client.send(new db.DeleteTableCommand({TableName}));
	const {state} = await db.waitUntilTableNotExists(wait, {TableName});
	assert.equal(state, "SUCCESS");
});

run();
