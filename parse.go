package amplify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// LoadConfig reads the configuration from a file. See [ParseConfig]. Errors name the file, also
// those of [Config.Validate] and [New] about the configuration.
func LoadConfig(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, &Error{
			Name: invalidParameter, Reason: ReasonConfiguration,
			Message:            "The configuration cannot be read.",
			RecoverySuggestion: "Generate it (npx ampx generate outputs), or correct the path.",
			Err:                err,
		}
	}
	c, err := ParseConfig(b)
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Message = path + ": " + e.Message
		return Config{}, e
	}
	c.file = path
	return c, nil
}

// ParseConfig reads a configuration, a JSON object of one of three kinds:
//
//   - amplifyconfiguration.json of Amplify Gen 1, or the object in aws-exports.js, if the name of
//     any member begins with "aws_";
//   - amplify_outputs.json of Amplify Gen 2, if it has a version: 1 or 1.x. Another major version is
//     an error. [New] logs a warning about a minor version that this library does not know;
//   - Amplify JS's ResourcesConfig otherwise.
//
// It corresponds to parseAmplifyConfig of aws-amplify/utils. Like that function it ignores unknown
// members and requires none, so that the result may be unusable. [Config.Validate] and [New] check
// it.
//
// The error is an [*Error] with [ReasonConfiguration].
func ParseConfig(data []byte) (Config, error) {
	var members map[string]json.RawMessage
	if err := decode(data, "", &members); err != nil {
		return Config{}, err
	}
	if members == nil { // null
		return Config{}, notUsable("The configuration is not a JSON object.")
	}
	for name := range members {
		if strings.HasPrefix(name, "aws_") {
			return parseExports(data, members)
		}
	}
	if version := members["version"]; truthy(version) {
		var v string
		if err := decode(version, "version", &v); err != nil {
			return Config{}, err
		}
		// Minor versions only add members. Another major version is another format.
		if major, _, _ := strings.Cut(v, "."); major != "1" {
			return Config{}, unknownVersion(v)
		}
		c, err := parseOutputs(data)
		c.version = v
		return c, err
	}
	return parseResources(members)
}

// invalidParameter is the name of Amplify JS's error for a file that is not a configuration.
const invalidParameter = "InvalidParameterException"

func notUsable(message string) error {
	return &Error{
		Name: invalidParameter, Reason: ReasonConfiguration,
		Message: message,
		RecoverySuggestion: "Pass the content of amplify_outputs.json (Gen 2), of amplifyconfiguration.json (Gen 1), " +
			"or a ResourcesConfig: a JSON object.",
	}
}

// newestOutputs is the newest version of amplify_outputs.json that this library knows.
const newestOutputs = "1.4"

// isNewer reports whether version, 1 or 1.x, is not one of those that this library knows.
func isNewer(version string) bool {
	return !slices.Contains([]string{"", "1", "1.0", "1.1", "1.2", "1.3", newestOutputs}, version)
}

func unknownVersion(version string) error {
	if !matches(`^[0-9.]{1,16}$`, version) {
		version = "" // whatever it is, it is no version
	}
	return &Error{
		Name: invalidParameter, Reason: ReasonConfiguration,
		Message:            fmt.Sprintf("The configuration has version %q of amplify_outputs.json. This library reads 1 and 1.x.", version),
		RecoverySuggestion: "Update this library, or generate the outputs again (npx ampx generate outputs).",
	}
}

// decode decodes data into v. data is the member called name of a configuration, or the whole
// configuration if name is empty. Errors quote no values, since a value may be a key.
func decode(data []byte, name string, v any) error {
	err := json.Unmarshal(data, v)
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		field := strings.Trim(name+"."+mismatch.Field, ".")
		if field == "" {
			return notUsable("The configuration is not a JSON object.")
		}
		found, _, _ := strings.Cut(mismatch.Value, " ")
		return notUsable(fmt.Sprintf("The configuration has a %s for %s, which has another type.", found, field))
	case errors.As(err, &syntax):
		return notUsable(fmt.Sprintf("The configuration is not JSON, as its byte %d shows.", syntax.Offset))
	}
	return notUsable("The configuration is not JSON.")
}

// truthy reports whether raw counts as true in JavaScript. Amplify JS checks most members that way.
func truthy(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "false", `""`:
		return false
	}
	var number float64
	return json.Unmarshal(raw, &number) != nil || number != 0
}

// flag is a boolean. It is true for every JSON value that counts as true in JavaScript.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = flag(truthy(raw))
	return nil
}

// list returns the strings of in without blanks around them, and without empty ones. Lists such as
// redirect addresses are written by hand.
func list(in []string) []string {
	var out []string
	for _, s := range in {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// pick returns members of the object v under other names. names holds pairs of the old name and the
// new one.
func pick(v any, names ...string) map[string]any {
	object, _ := v.(map[string]any)
	picked := map[string]any{}
	for i := 0; i+1 < len(names); i += 2 {
		if member, ok := object[names[i]]; ok {
			picked[names[i+1]] = member
		}
	}
	return picked
}

// other adds a part that the library does not use to c.Other. path is its place, such as API,
// Events.
func (c *Config) other(v any, path ...string) {
	if c.Other == nil {
		c.Other = map[string]any{}
	}
	m := c.Other
	for _, name := range path[:len(path)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	m[path[len(path)-1]] = hideKeys(v)
}

// hideKeys replaces the API keys in v by values of type [Secret], and returns v.
func hideKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if key, ok := member.(string); ok && name == "apiKey" {
				v[name] = NewSecret(key)
			} else {
				v[name] = hideKeys(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = hideKeys(v[i])
		}
	}
	return v
}
