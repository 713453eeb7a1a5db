package amplify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// LoadConfig reads the configuration from a file. See [ParseConfig].
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
	return ParseConfig(b)
}

// ParseConfig reads a configuration, a JSON object in one of three shapes:
//
//   - amplifyconfiguration.json of Amplify Gen 1, or the object in aws-exports.js: any member
//     whose name begins with "aws_" makes it one;
//   - amplify_outputs.json of Amplify Gen 2, version 1 or 1.x;
//   - Amplify JS's ResourcesConfig: everything else.
//
// It corresponds to parseAmplifyConfig of aws-amplify/utils, and like that it takes what it knows and
// asks for nothing: what was read need not be usable. [Config.Validate] and [New] tell.
//
// An error is an [*Error] with [ReasonConfiguration].
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
		// Minor versions add members. Another major version would be another format.
		if v == "1" || strings.HasPrefix(v, "1.") {
			return parseOutputs(data)
		}
	}
	return parseResources(members)
}

// invalidParameter is the name that Amplify JS gives the error of a configuration file that is none.
const invalidParameter = "InvalidParameterException"

func notUsable(message string) error {
	return &Error{
		Name: invalidParameter, Reason: ReasonConfiguration,
		Message: message,
		RecoverySuggestion: "Pass the content of amplify_outputs.json (Gen 2), of amplifyconfiguration.json (Gen 1), " +
			"or a ResourcesConfig: a JSON object.",
	}
}

// decode decodes data, the member called name of a configuration or, without a name, all of it.
// No error quotes a value: it may be a key.
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

// truthy reports whether JavaScript takes raw for true: Amplify JS asks no more of most members.
func truthy(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "false", `""`:
		return false
	}
	var number float64
	return json.Unmarshal(raw, &number) != nil || number != 0
}

// flag is a boolean that may be written as anything that JavaScript takes for true.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = flag(truthy(raw))
	return nil
}

// list is a list of strings, without blanks around them and without empty ones: redirect addresses and the like, as
// people write them by hand.
func list(in []string) []string {
	var out []string
	for _, s := range in {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// pick returns the members of the object v under other names: pairs of the old name and the new.
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

// other adds a part that the library does not use, such as API.Events, to c.Other.
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

// hideKeys returns v with the API keys in it as secrets.
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
