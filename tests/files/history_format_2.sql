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
	recipe TEXT DEFAULT '{}' NOT NULL, 
	logprobs TEXT, 
	PRIMARY KEY (run_id, "index"), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "cells" VALUES('old-run',0,0,'tiny-text',0,0,7,'done','23','','stop',6,2,0.5,NULL,4,1,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"variant":"A","template":{"system":"","user":"What is {{sum}}?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',1,1,'tiny-text',0,0,7,'done','23','','stop',6,2,0.5,NULL,4,1,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":0,"sample":0,"messages":[{"role":"system","text":"Be brief."},{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"20+3 = ?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"variant":"B","template":{"system":"Be brief.","user":"{{sum}} = ?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',2,0,'tiny-text',1,0,7,'done','23','','stop',6,2,0.5,NULL,4,NULL,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"variant":"A","template":{"system":"","user":"What is {{sum}}?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',3,1,'tiny-text',1,0,7,'done','23','','stop',6,2,0.5,NULL,4,NULL,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":1,"sample":0,"messages":[{"role":"system","text":"Be brief."},{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"1+1 = ?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"variant":"B","template":{"system":"Be brief.","user":"{{sum}} = ?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',4,0,'tiny-text',0,1,8,'done','I do not know that yet','','stop',6,2,0.5,NULL,4,0,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"What is 20+3?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":8,"variant":"A","template":{"system":"","user":"What is {{sum}}?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',5,1,'tiny-text',0,1,8,'done','I do not know that yet','','stop',6,2,0.5,NULL,4,0,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":0,"sample":1,"messages":[{"role":"system","text":"Be brief."},{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"20+3 = ?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":8,"variant":"B","template":{"system":"Be brief.","user":"{{sum}} = ?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',6,0,'tiny-text',1,1,8,'done','I do not know that yet','','stop',6,2,0.5,NULL,4,NULL,'{"rendered_prompt":"p","source":"tiny-text","revision":"main","batch_size":4,"device":"cpu","dtype":"float32","seconds":0.5,"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"What is 1+1?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":8,"variant":"A","template":{"system":"","user":"What is {{sum}}?"}}','[["23",-0.25]]');
INSERT INTO "cells" VALUES('old-run',7,1,'tiny-text',1,1,8,'interrupted','','',NULL,NULL,0,NULL,NULL,1,NULL,'{"model":"tiny-text","input":1,"sample":1,"messages":[{"role":"system","text":"Be brief."},{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"},{"role":"user","text":"1+1 = ?"}],"chat":true,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":8,"variant":"B","template":{"system":"Be brief.","user":"{{sum}} = ?"}}',NULL);
CREATE TABLE diptych_schema (
	version INTEGER NOT NULL
);
INSERT INTO "diptych_schema" VALUES(2);
CREATE TABLE drafts (
	owner VARCHAR(200) NOT NULL, 
	page VARCHAR(40) NOT NULL, 
	changed FLOAT NOT NULL, 
	experiment TEXT NOT NULL, 
	PRIMARY KEY (owner, page)
);
INSERT INTO "drafts" VALUES('me','playground',1763800000.0,'{"version":1,"page":"playground","variants":[{"name":"A","user":"What is {{sum}}?","system":""},{"name":"B","user":"{{sum}} = ?","system":"Be brief."}],"models":["tiny-text"],"inputs":[{"values":{"sum":"20+3"},"checks":["contains:23","max-words:3"]},{"values":{"sum":"1+1"},"checks":[]}],"samples":2,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"chat":true,"title":"","answer_prefix":"","talk":[{"role":"user","text":"Hi","images":[]},{"role":"assistant","text":"Hello","images":[]}],"images":[],"seeds":[]}');
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
INSERT INTO "runs" VALUES('old-run','me','playground','What is {{sum}}? · 2 variants x 2 inputs x 2 samples on tiny-text',1763800000.0,'done',0,NULL,'{"version":1,"page":"playground","variants":[{"name":"A","user":"What is {{sum}}?","system":""},{"name":"B","user":"{{sum}} = ?","system":"Be brief."}],"models":["tiny-text"],"inputs":[{"values":{"sum":"20+3"},"checks":["contains:23","max-words:3"]},{"values":{"sum":"1+1"},"checks":[]}],"samples":2,"parameters":{"temperature":0.5,"max_new_tokens":8,"stop":["\n"]},"seed":7,"chat":true,"title":"","answer_prefix":"","talk":[{"role":"user","text":"Hi","images":[]},{"role":"assistant","text":"Hello","images":[]}],"images":[],"seeds":[]}','
What is {{sum}}?
Be brief.
{{sum}} = ?
20+3
1+1',2,'["tiny-text"]',2,2);
CREATE INDEX runs_by_owner ON runs (owner, created);
CREATE INDEX runs_by_time ON runs (created);
CREATE INDEX artifacts_by_cell ON artifacts (run_id, cell);
COMMIT;
