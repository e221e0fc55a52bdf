internal import SandboxModel

/// The JSON Schema (2020-12) of profiles, for editors; what only the reader can see (a rule that never matches, a bad glob) is not
/// in it.
package enum ProfileSchema {
    package static var json: String {
        """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "A profile of sandbox",
          "type": "object",
          "required": ["version", "name"],
          "additionalProperties": false,
          "properties": {
            "version": { "const": 1 },
            "name": { "$ref": "#/$defs/name" },
            "description": { "type": "string" },
            "extends": { "description": "Profiles whose lists and rules are taken over.", "$ref": "#/$defs/texts" },
            "mode": { "enum": ["enforce", "observe"], "description": "observe: record what would have been decided, enforce nothing." },
            "identities": { "description": "Who may run under it; absent: anyone.", "type": "array", "items": { "$ref": "#/$defs/entry" } },
            "files": { "$ref": "#/$defs/files" },
            "exec": { "$ref": "#/$defs/exec" },
            "network": { "$ref": "#/$defs/network" },
            "rules": { "type": "array", "items": { "$ref": "#/$defs/rule" } },
            "data": { "type": "object", "additionalProperties": { "$ref": "#/$defs/class" } },
            "releases": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["program", "classes"],
                "properties": {
                  "program": { "type": "string" }, "classes": { "$ref": "#/$defs/texts" },
                  "sha256": { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }, "reason": { "type": "string" }
                }
              }
            },
            "environment": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "keep": { "$ref": "#/$defs/list" }, "drop": { "$ref": "#/$defs/list" }, "set": { "$ref": "#/$defs/variables" }
              }
            },
            "limits": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "memory": { "type": ["string", "integer"], "examples": ["2GiB"] }, "processes": { "type": "integer", "minimum": 1 },
                "time": { "$ref": "#/$defs/duration" }, "open_files": { "type": "integer", "minimum": 1 },
                "written": { "type": ["string", "integer"], "examples": ["10GiB"] }
              }
            },
            "audit": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "on_failure": { "enum": ["block", "continue"] }, "reads": { "enum": ["all", "none"] },
                "arguments": { "enum": ["redacted", "full"] }, "entropy": { "type": "boolean" }
              }
            },
            "tests": { "type": "array", "items": { "$ref": "#/$defs/test" } }
          },
          "$defs": {
            "name": { "type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" },
            "text": { "type": ["string", "number", "boolean"] },
            "texts": { "anyOf": [{ "$ref": "#/$defs/text" }, { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/text" } }] },
            "duration": { "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "examples": ["90s", "10m"] },
            "variables": { "type": "object", "additionalProperties": { "$ref": "#/$defs/text" } },
            "verdict": { "enum": ["allow", "deny"] },
            "entry": {
              "anyOf": [
                { "$ref": "#/$defs/text" },
                {
                  "type": "object", "additionalProperties": false, "minProperties": 1,
                  "properties": {
                    "path": { "type": "string" }, "program": { "type": "string" }, "host": { "type": "string" }, "identity": { "type": "string" },
                    "table": { "type": "string" }, "name": { "type": "string" }, "profile": { "type": "string" }, "reason": { "type": "string" }
                  }
                }
              ]
            },
            "list": { "type": "array", "items": { "$ref": "#/$defs/entry" } },
            "files": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "default": { "$ref": "#/$defs/verdict" }, "read": { "$ref": "#/$defs/list" }, "write": { "$ref": "#/$defs/list" },
                "deny": { "$ref": "#/$defs/list" }
              }
            },
            "exec": {
              "type": "object", "additionalProperties": false,
              "properties": { "default": { "$ref": "#/$defs/verdict" }, "allow": { "$ref": "#/$defs/list" }, "deny": { "$ref": "#/$defs/list" } }
            },
            "network": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "default": { "$ref": "#/$defs/verdict" }, "allow": { "$ref": "#/$defs/list" }, "deny": { "$ref": "#/$defs/list" },
                "listen": { "$ref": "#/$defs/list" }
              }
            },
            "class": {
              "type": "object", "additionalProperties": false, "minProperties": 1,
              "properties": {
                "files": { "$ref": "#/$defs/list" }, "tables": { "$ref": "#/$defs/list" },
                "content": {
                  "type": "object", "additionalProperties": false, "required": ["in"], "minProperties": 2,
                  "properties": {
                    "in": { "$ref": "#/$defs/list" }, "card_number": { "type": "integer", "minimum": 1 },
                    "email": { "type": "integer", "minimum": 1 }, "national_id": { "type": "integer", "minimum": 1 },
                    "private_key": { "type": "integer", "minimum": 1 }, "cloud_key": { "type": "integer", "minimum": 1 }
                  }
                }
              }
            },
            "intent": { "anyOf": [{ "enum": [\(intents)] }, { "enum": ["*", \(families)] }] },
            "intents": { "anyOf": [{ "$ref": "#/$defs/intent" }, { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/intent" } }] },
            "decision": { "enum": ["deny", "ask", "rewrite", "allow"] },
            "when": {
              "type": "object", "additionalProperties": false,
              "properties": {
        \(conditions),
                "count": { "type": "string", "pattern": "^>=? ?[0-9]+$", "examples": ["> 50"] }, "within": { "$ref": "#/$defs/duration" },
                "per": { "enum": ["session", "subtree", "folder"] }
              }
            },
            "rule": {
              "type": "object", "additionalProperties": false, "required": ["name", "decide"],
              "properties": {
                "name": { "$ref": "#/$defs/name" }, "intent": { "$ref": "#/$defs/intents" }, "when": { "$ref": "#/$defs/when" },
                "decide": { "$ref": "#/$defs/decision" }, "reason": { "type": "string" },
                "ask": {
                  "type": "object", "additionalProperties": false,
                  "properties": {
                    "approvers": { "$ref": "#/$defs/texts" }, "timeout": { "$ref": "#/$defs/duration" }, "four_eyes": { "type": "boolean" },
                    "approvals": { "type": "integer", "minimum": 1, "maximum": 16 },
                    "scopes": { "anyOf": [{ "$ref": "#/$defs/scope" }, { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/scope" } }] }
                  }
                },
                "rewrite": {
                  "type": "object", "additionalProperties": false, "minProperties": 1,
                  "properties": {
                    "replace": { "$ref": "#/$defs/variables" }, "remove": { "$ref": "#/$defs/texts" }, "append": { "$ref": "#/$defs/texts" },
                    "insert": {
                      "anyOf": [
                        { "$ref": "#/$defs/texts" },
                        {
                          "type": "object", "additionalProperties": false, "required": ["arguments"],
                          "properties": { "after": { "type": "string" }, "arguments": { "$ref": "#/$defs/texts" } }
                        }
                      ]
                    },
                    "program": { "type": "string" }, "set": { "$ref": "#/$defs/variables" },
                    "sql": {
                      "type": "object", "additionalProperties": false, "minProperties": 1,
                      "properties": { "drop_to_trash": { "type": "string" }, "limit": { "type": "integer", "minimum": 1 } }
                    }
                  }
                }
              }
            },
            "scope": { "enum": ["once", "session", "time"] },
            "test": {
              "type": "object", "additionalProperties": false,
              "oneOf": [
                { "required": ["run"] }, { "required": ["read"] }, { "required": ["write"] }, { "required": ["delete"] },
                { "required": ["connect"] }, { "required": ["sql"] }
              ],
              "properties": {
                "run": { "$ref": "#/$defs/texts" }, "read": { "type": "string" }, "write": { "type": "string" }, "delete": { "type": "string" },
                "connect": { "type": "string" }, "sql": { "type": "string" }, "dialect": { "enum": ["postgres", "mysql", "sqlite", "redis"] },
                "expect": { "$ref": "#/$defs/decision" }, "to": { "$ref": "#/$defs/texts" }, "intent": { "$ref": "#/$defs/intents" },
                "intent_not": { "$ref": "#/$defs/intents" }, "rule": { "type": "string" }, "as": { "type": "string" },
                "group": { "$ref": "#/$defs/texts" }, "role": { "$ref": "#/$defs/texts" }, "subagent": { "type": "string" },
                "purpose": { "type": "string" },
                "carries": { "$ref": "#/$defs/texts" }, "times": { "type": "integer", "minimum": 1 }
              }
            }
          }
        }
        """
    }

    private static var intents: String { quoted(Intent.allCases.map(\.name)) }

    private static var families: String {
        let names = Set(Intent.allCases.map { String($0.name.prefix { $0 != "." }) }).sorted()
        return quoted(names.flatMap { [$0, $0 + ".*"] })
    }

    private static var conditions: String {
        let names = ConditionKey.written
        return names.map { "        \"\($0)\": { \"$ref\": \"#/$defs/texts\" }" }.joined(separator: ",\n")
    }

    private static func quoted(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
}
