package amplify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// invalidParameter is the name of Amplify JS's error for a file that is not a configuration.
const invalidParameter = "InvalidParameterException"

// What to do about a file that is not a configuration.
const (
	wanted = "Pass amplify_outputs.json (Gen 2: npx ampx generate outputs), " +
		"amplifyconfiguration.json (Gen 1: amplify pull), or a ResourcesConfig as JSON."
	wantedOrWritten = "Pass amplify_outputs.json (Gen 2: npx ampx generate outputs), " +
		"amplifyconfiguration.json of a JavaScript application (Gen 1: amplify pull), " +
		`or {"Auth":{"Cognito":{"userPoolId":"...","userPoolClientId":"..."}}}.`
	wantedInsteadOfSource = "Pass amplifyconfiguration.json, which Amplify's command line writes beside aws-exports.js " +
		"(Gen 1: amplify pull), or amplify_outputs.json (Gen 2: npx ampx generate outputs)."
)

func notUsable(message, suggestion string) error {
	return &Error{
		Name: invalidParameter, Reason: ReasonConfiguration, Message: message, RecoverySuggestion: suggestion,
	}
}

// notJSON returns the error about data, which is JSON up to its byte at offset only, counted from
// 1. It quotes nothing, since data may hold a key.
func notJSON(data []byte, offset int) error {
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return notUsable("The configuration is empty.", wanted)
	case bytes.IndexByte(text, 0) >= 0:
		return notUsable("The configuration is not UTF-8 text. It may be UTF-16, which PowerShell writes.",
			"Save it as UTF-8.")
	case text[0] == '<':
		return notUsable("The configuration is HTML or XML, not JSON.", wanted)
	case matches(`(?m)^\s*(const|let|var|export|import|module\.exports)\b`, string(text)):
		return notUsable("The configuration is source code, such as aws-exports.js, not JSON.", wantedInsteadOfSource)
	case text[0] != '{' && matches(`(?m)^(---|[\w-]+:)(\s|$)`, string(text)):
		return notUsable("The configuration is YAML, not JSON.", wanted)
	}
	before := data[:max(offset-1, 0)]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
	return notUsable(fmt.Sprintf("The configuration is not JSON, as its line %d shows at column %d.", line, column), wanted)
}

// checkKind reports whether members, which are not those of a Gen 1 file, belong to
// amplify_outputs.json or to a ResourcesConfig. Its error says what they seem to belong to.
func checkKind(members map[string]json.RawMessage) error {
	isOutputs := has(members, "auth", "data", "storage", "analytics", "geo", "notifications", "custom")
	isResources := has(members,
		"API", "Analytics", "Auth", "Geo", "Interactions", "Notifications", "Predictions", "Storage")
	isPackage := !isOutputs && !isResources && has(members, "name", "scripts", "dependencies", "devDependencies")

	ids := []string{"userPoolId", "userPoolWebClientId", "userPoolClientId", "identityPoolId"}
	auth := object(members["Auth"])
	switch {
	case truthy(members["version"]) && !isPackage:
		return nil // or another version than can be read
	case !has(auth, "Cognito") && (has(auth, ids...) || has(members, ids...)):
		return notUsable("The configuration has its ids where Amplify JS v5 has them, and not in Auth.Cognito.",
			wantedOrWritten)
	case isResources:
		return nil
	case isPackage:
		return notUsable("The configuration seems to be a package.json.", wanted)
	case has(members, "CognitoUserPool", "CredentialsProvider"), has(object(members["auth"]), "plugins"):
		return notUsable("The configuration has the format of mobile applications: Flutter, Android or Swift.",
			wantedOrWritten)
	case has(members, "auth", "data", "storage"):
		return notUsable("The configuration looks like amplify_outputs.json without its version.",
			"Add it, or generate the outputs again (npx ampx generate outputs).")
	case members == nil:
		return notUsable("The configuration is null, not an object.", wanted)
	case len(members) == 0:
		return notUsable("The configuration is an empty object.", wanted)
	}
	return notUsable("The configuration has no part that Amplify knows, such as auth in amplify_outputs.json.", wanted)
}

// object returns the members of raw, or nil if it is not an object.
func object(raw json.RawMessage) (members map[string]json.RawMessage) {
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}

// has reports whether members has one of names.
func has(members map[string]json.RawMessage, names ...string) bool {
	for _, name := range names {
		if _, ok := members[name]; ok {
			return true
		}
	}
	return false
}
