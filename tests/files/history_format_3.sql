BEGIN TRANSACTION;
CREATE TABLE artifacts (
	id INTEGER NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	cell INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	mime VARCHAR(100) NOT NULL, 
	bytes BLOB NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id, cell) REFERENCES cells (run_id, "index") ON DELETE CASCADE
);
INSERT INTO "artifacts" VALUES(1,'old-run',2,'answer','image/png',X'89504E470D0A1A0A206E6F74207175697465');
CREATE TABLE cells (
	run_id VARCHAR(64) NOT NULL, 
	"index" INTEGER NOT NULL, 
	variant INTEGER NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	input INTEGER NOT NULL, 
	sample INTEGER NOT NULL, 
	setting INTEGER DEFAULT '0' NOT NULL, 
	seed BIGINT NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	text TEXT DEFAULT '' NOT NULL, 
	error TEXT DEFAULT '' NOT NULL, 
	finish VARCHAR(20), 
	prompt_tokens INTEGER, 
	tokens INTEGER DEFAULT '0' NOT NULL, 
	seconds FLOAT, 
	first_token_seconds FLOAT, 
	batch_size INTEGER DEFAULT '1' NOT NULL, 
	passed BOOLEAN, 
	provenance TEXT DEFAULT '{}' NOT NULL, 
	logprobs TEXT, 
	PRIMARY KEY (run_id, "index"), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "cells" VALUES('old-run',0,0,'tiny-text',0,0,0,5,'done','23 Éclair','','stop',6,4,0.5,0.1,1,1,'{"rendered_prompt":"p","batch_size":1,"seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"system","text":"Antworte kurz."},{"role":"user","text":"Äpfel und Maße: über"}],"chat":true,"parameters":{"temperature":0.7},"seed":5,"variant":"A","template":{"system":"Antworte kurz.","user":"Äpfel und {{fruit}}: über"}}','[["2",-0.25]]');
INSERT INTO "cells" VALUES('old-run',1,0,'tiny-text',1,0,0,5,'done','ΣΊΣΥΦΟΣ 23','','stop',6,4,0.5,0.1,1,NULL,'{"rendered_prompt":"p","batch_size":1,"seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"system","text":"Antworte kurz."},{"role":"user","text":"Äpfel und Οδυσσεύς: über"}],"chat":true,"parameters":{"temperature":0.7},"seed":5,"variant":"A","template":{"system":"Antworte kurz.","user":"Äpfel und {{fruit}}: über"}}','[["2",-0.25]]');
INSERT INTO "cells" VALUES('old-run',2,0,'tiny-text',0,1,0,6,'done','plain ASCII Answer','','stop',6,4,0.5,0.1,1,0,'{"rendered_prompt":"p","batch_size":1,"seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"system","text":"Antworte kurz."},{"role":"user","text":"Äpfel und Maße: über"}],"chat":true,"parameters":{"temperature":0.7},"seed":6,"variant":"A","template":{"system":"Antworte kurz.","user":"Äpfel und {{fruit}}: über"}}','[["2",-0.25]]');
INSERT INTO "cells" VALUES('old-run',3,0,'tiny-text',1,1,0,6,'queued','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"system","text":"Antworte kurz."},{"role":"user","text":"Äpfel und Οδυσσεύς: über"}],"chat":true,"parameters":{"temperature":0.7},"seed":6,"variant":"A","template":{"system":"Antworte kurz.","user":"Äpfel und {{fruit}}: über"}}',NULL);
CREATE TABLE diptych_schema (
	version INTEGER NOT NULL
);
INSERT INTO "diptych_schema" VALUES(3);
CREATE TABLE drafts (
	owner VARCHAR(200) NOT NULL, 
	page VARCHAR(40) NOT NULL, 
	changed FLOAT NOT NULL, 
	experiment TEXT NOT NULL, 
	PRIMARY KEY (owner, page)
);
CREATE TABLE runs (
	id VARCHAR(64) NOT NULL, 
	owner VARCHAR(200) NOT NULL, 
	page VARCHAR(40) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	created FLOAT NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	starred BOOLEAN DEFAULT false NOT NULL, 
	deleted FLOAT, 
	experiment TEXT NOT NULL, 
	prompts TEXT NOT NULL, 
	variants INTEGER NOT NULL, 
	models TEXT NOT NULL, 
	inputs INTEGER NOT NULL, 
	samples INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('old-run','me','playground','ПРИВЕТ, Welt',1800000000.0,'running',0,NULL,'{"version":2,"page":"playground","variants":[{"name":"A","user":"Äpfel und {{fruit}}: über","system":"Antworte kurz.","literal":false}],"models":["tiny-text"],"inputs":[{"id":"row-1","values":{"fruit":"Maße"},"checks":["contains:23"],"group":"","threshold":null},{"id":"row-2","values":{"fruit":"Οδυσσεύς"},"checks":[],"group":"","threshold":null}],"samples":2,"parameters":{"temperature":0.7},"axes":{},"seed":5,"chat":true,"title":"ПРИВЕТ, Welt","answer_prefix":"","earlier":[],"images":[],"seeds":[],"checks":[],"threshold":null,"margin":0.05}','Antworte kurz.
Äpfel und {{fruit}}: über
Maße
Οδυσσεύς',1,'["tiny-text"]',2,2);
CREATE INDEX runs_by_owner ON runs (owner, created);
CREATE INDEX runs_by_time ON runs (created);
CREATE INDEX artifacts_by_cell ON artifacts (run_id, cell);
COMMIT;
