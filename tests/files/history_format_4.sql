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
	ungraded BOOLEAN DEFAULT false NOT NULL, 
	bytes BIGINT DEFAULT '0' NOT NULL, 
	folded TEXT, 
	PRIMARY KEY (run_id, "index"), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "cells" VALUES('old-run',0,0,'tiny-text',0,0,0,5,'done','7','','stop',6,4,0.5,0.1,4,0,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,408,NULL);
INSERT INTO "cells" VALUES('old-run',1,1,'tiny-text',0,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,357,NULL);
INSERT INTO "cells" VALUES('old-run',2,0,'tiny-text',1,0,0,5,'done','7','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,407,NULL);
INSERT INTO "cells" VALUES('old-run',3,1,'tiny-text',1,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,356,NULL);
INSERT INTO "cells" VALUES('old-run',4,0,'tiny-text',0,1,0,6,'done','7','','stop',6,4,0.5,0.1,4,0,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,408,NULL);
INSERT INTO "cells" VALUES('old-run',5,1,'tiny-text',0,1,0,6,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,357,NULL);
INSERT INTO "cells" VALUES('old-run',6,0,'tiny-text',1,1,0,6,'done','7','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,407,NULL);
INSERT INTO "cells" VALUES('old-run',7,1,'tiny-text',1,1,0,6,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,356,NULL);
INSERT INTO "cells" VALUES('stopped-run',0,0,'tiny-text',0,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,409,NULL);
INSERT INTO "cells" VALUES('stopped-run',1,1,'tiny-text',0,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,357,NULL);
INSERT INTO "cells" VALUES('stopped-run',2,0,'tiny-text',1,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,408,NULL);
INSERT INTO "cells" VALUES('stopped-run',3,1,'tiny-text',1,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,356,NULL);
INSERT INTO "cells" VALUES('stopped-run',4,0,'tiny-text',0,1,0,6,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,409,NULL);
INSERT INTO "cells" VALUES('stopped-run',5,1,'tiny-text',0,1,0,6,'cancelled','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}',NULL,0,212,NULL);
INSERT INTO "cells" VALUES('stopped-run',6,0,'tiny-text',1,1,0,6,'cancelled','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}',NULL,0,263,NULL);
INSERT INTO "cells" VALUES('stopped-run',7,1,'tiny-text',1,1,0,6,'cancelled','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}',NULL,0,211,NULL);
INSERT INTO "cells" VALUES('killed-run',0,0,'tiny-text',0,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,409,NULL);
INSERT INTO "cells" VALUES('killed-run',1,1,'tiny-text',0,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,1,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,357,NULL);
INSERT INTO "cells" VALUES('killed-run',2,0,'tiny-text',1,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}','[["2",-0.25],["",-1.0],["3",null]]',0,408,NULL);
INSERT INTO "cells" VALUES('killed-run',3,1,'tiny-text',1,0,0,5,'done','23','','stop',6,4,0.5,0.1,4,NULL,'{"rendered_prompt":"What?","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":5,"variant":"B","template":{"system":"","user":"{{sum}}="}}','[["2",-0.25],["",-1.0],["3",null]]',0,356,NULL);
INSERT INTO "cells" VALUES('killed-run',4,0,'tiny-text',0,1,0,6,'queued','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}',NULL,0,264,NULL);
INSERT INTO "cells" VALUES('killed-run',5,1,'tiny-text',0,1,0,6,'queued','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"user","text":"20+3="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}',NULL,0,212,NULL);
INSERT INTO "cells" VALUES('killed-run',6,0,'tiny-text',1,1,0,6,'queued','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"system","text":"Add."},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"A","template":{"system":"Add.","user":"What is {{sum}}?"}}',NULL,0,263,NULL);
INSERT INTO "cells" VALUES('killed-run',7,1,'tiny-text',1,1,0,6,'queued','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"user","text":"1+1="}],"chat":true,"parameters":{"temperature":0.7,"stop":["END"]},"seed":6,"variant":"B","template":{"system":"","user":"{{sum}}="}}',NULL,0,211,NULL);
CREATE TABLE diptych_schema (
	version INTEGER NOT NULL
);
INSERT INTO "diptych_schema" VALUES(4);
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
	server VARCHAR(64), 
	bytes BIGINT DEFAULT '0' NOT NULL, 
	folded_title TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('old-run','me','playground','Sums',1800000002.0,'done',0,NULL,'{"version":2,"page":"playground","variants":[{"name":"A","user":"What is {{sum}}?","system":"Add.","literal":false},{"name":"B","user":"{{sum}}=","system":"","literal":false}],"models":["tiny-text"],"inputs":[{"id":"","values":{"sum":"20+3"},"checks":["contains:23"],"group":"","threshold":null},{"id":"","values":{"sum":"1+1"},"checks":[],"group":"","threshold":null}],"samples":2,"parameters":{"temperature":0.7,"stop":["END"]},"axes":{},"seed":5,"chat":true,"title":"Sums","answer_prefix":"","earlier":[],"images":[],"seeds":[],"checks":[],"threshold":null,"margin":0.05}','add.
what is {{sum}}?

{{sum}}=
20+3
1+1',2,'["tiny-text"]',2,2,'227515893c732de7',3670,'sums');
INSERT INTO "runs" VALUES('stopped-run','me','playground','Sums',1800000005.0,'cancelled',0,NULL,'{"version":2,"page":"playground","variants":[{"name":"A","user":"What is {{sum}}?","system":"Add.","literal":false},{"name":"B","user":"{{sum}}=","system":"","literal":false}],"models":["tiny-text"],"inputs":[{"id":"","values":{"sum":"20+3"},"checks":["contains:23"],"group":"","threshold":null},{"id":"","values":{"sum":"1+1"},"checks":[],"group":"","threshold":null}],"samples":2,"parameters":{"temperature":0.7,"stop":["END"]},"axes":{},"seed":5,"chat":true,"title":"Sums","answer_prefix":"","earlier":[],"images":[],"seeds":[],"checks":[],"threshold":null,"margin":0.05}','add.
what is {{sum}}?

{{sum}}=
20+3
1+1',2,'["tiny-text"]',2,2,'227515893c732de7',3239,'sums');
INSERT INTO "runs" VALUES('killed-run','me','playground','Sums',1800000008.0,'running',0,NULL,'{"version":2,"page":"playground","variants":[{"name":"A","user":"What is {{sum}}?","system":"Add.","literal":false},{"name":"B","user":"{{sum}}=","system":"","literal":false}],"models":["tiny-text"],"inputs":[{"id":"","values":{"sum":"20+3"},"checks":["contains:23"],"group":"","threshold":null},{"id":"","values":{"sum":"1+1"},"checks":[],"group":"","threshold":null}],"samples":2,"parameters":{"temperature":0.7,"stop":["END"]},"axes":{},"seed":5,"chat":true,"title":"Sums","answer_prefix":"","earlier":[],"images":[],"seeds":[],"checks":[],"threshold":null,"margin":0.05}','add.
what is {{sum}}?

{{sum}}=
20+3
1+1',2,'["tiny-text"]',2,2,'227515893c732de7',3094,'sums');
CREATE TABLE servers (
	id VARCHAR(64) NOT NULL, 
	seen FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "servers" VALUES('227515893c732de7',1700000009.0);
CREATE INDEX runs_by_owner ON runs (owner, created);
CREATE INDEX runs_by_time ON runs (created);
CREATE INDEX cells_ungraded ON cells (run_id) WHERE ungraded IS 1;
CREATE INDEX artifacts_by_cell ON artifacts (run_id, cell);
COMMIT;
