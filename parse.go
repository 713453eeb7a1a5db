package amplify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// LoadConfig reads the configuration from a file. See [ParseConfig]. Errors name the file, also
// those of [Config.Validate] and [New] about the configuration.
func LoadConfig(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, &Error{
			Name: invalidParameter, Reason: ReasonConfiguration,
			Message: "The configuration cannot be read.",
			RecoverySuggestion: "Generate it (npx ampx generate outputs, or for a local backend " +
				"amplify-go sandbox), or correct the path.",
			Err: err,
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
//   - Amplify JS's ResourcesConfig, if it has any of its parts.
//
// Anything else is an error that says which file is wanted. A byte order mark is ignored.
//
// It corresponds to parseAmplifyConfig of aws-amplify/utils. Like that function it ignores unknown
// members and requires none, so that the result may be unusable. [Config.Validate] and [New] check
// it. What this library does not use, such as the password policy, groups and analytics, never
// makes it fail: if that cannot be read, the result lacks it.
//
// The error is an [*Error] with [ReasonConfiguration].
func ParseConfig(data []byte) (Config, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // which editors on Windows write
	var members map[string]json.RawMessage
	if err := decode(data, "", &members); err != nil {
		return Config{}, err
	}
	for name := range members {
		if strings.HasPrefix(name, "aws_") {
			return parseExports(data, members)
		}
	}
	if err := checkKind(members); err != nil {
		return Config{}, err
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
		found, _, _ := strings.Cut(strings.Replace(mismatch.Value, "bool", "boolean", 1), " ")
		field := strings.Trim(name+"."+mismatch.Field, ".")
		if field == "" {
			return notUsable("The configuration is a JSON "+found+", not an object.", wanted)
		}
		return notUsable(
			fmt.Sprintf("The configuration has a JSON %s at %s, where %s belongs.", found, field, jsonType(mismatch.Type)),
			"Correct it, or generate the configuration again.")
	case errors.As(err, &syntax):
		return notJSON(data, int(syntax.Offset))
	}
	return notUsable("The configuration is not JSON.", wanted)
}

// jsonType returns what values of type t are in JSON.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
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

// flag is a boolean. It is true for every JSON value that counts as true in JavaScript, except
// "false", which templates write.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = flag(truthy(raw) && !strings.EqualFold(string(raw), `"false"`))
	return nil
}

// number is an integer, also one in quotes, as Amplify's command line writes some. Anything else
// counts as 0.
type number int

func (n *number) UnmarshalJSON(raw []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err == nil {
		*n = number(i)
	}
	return nil
}

// loose is a member that nothing depends on, which must not stop a server. If it has another type,
// or a member of it has, it counts as absent.
type loose[T any] struct{ value T }

func (l *loose[T]) UnmarshalJSON(raw []byte) error {
	var v T
	if json.Unmarshal(raw, &v) == nil {
		l.value = v
	}
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
