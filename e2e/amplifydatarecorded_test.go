package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// recordedCase is what Amplify's own resolvers were recorded answering.
type recordedCase struct {
	ID    string
	Input struct {
		Schema     string
		Identities map[string]struct{ Mode string }
		Steps      []struct {
			Document      string
			Variables     any
			OperationName string
		}
	}
	Expected struct {
		// Fidelity is "vtl" if AWS answers alike, whatever the step.
		Fidelity string
		Steps    []struct {
			jsAnswer
			Unordered []string
		}
	}
}

// forKey reports whether the case is one of the schema c that aws-amplify can make with the API key
// alone, and whether the answers are what AWS answers. The library sends no names of operations.
func (c recordedCase) forKey() bool {
	for _, identity := range c.Input.Identities {
		if identity.Mode != "apiKey" {
			return false
		}
	}
	for _, step := range c.Input.Steps {
		if step.Document == "" || step.OperationName != "" {
			return false
		}
	}
	return c.Input.Schema == "c" && c.Expected.Fidelity == "vtl"
}

// aws-amplify gets from the sandbox what Amplify's own resolvers answered, where these decided
// everything and the caller had the API key.
func TestAmplifyJSDataRecorded(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(recordings, "appsync.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []recordedCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	js := jsData{startModule(t, npmProject(t, "js/amplify"), "data.js")}
	compared := 0
	for _, c := range cases {
		if !c.forKey() {
			continue
		}
		compared++
		t.Run(c.ID, func(t *testing.T) {
			js.do(nil, "configure", startRecorded(t, sandbox.Config{}).dataConfig(t))
			r := replay{names: map[string]any{}}
			for i, step := range c.Input.Steps {
				var got jsAnswer
				js.do(&got, "graphql", object{"query": step.Document, "variables": r.fill(step.Variables)})
				r.answers = append(r.answers, got.Data)
				want := c.Expected.Steps[i]
				for _, connection := range want.Unordered {
					sortItems(want.Data, connection)
					sortItems(got.Data, connection)
				}
				if !r.same(want.Data, got.Data) {
					t.Errorf("step %d (-recorded +got):\n%s", i, cmp.Diff(want.Data, got.Data))
				}
				if diff := cmp.Diff(sorted(want.Errors), sorted(got.Errors)); diff != "" {
					t.Errorf("step %d, errors (-recorded +got):\n%s", i, diff)
				}
			}
		})
	}
	if compared < 10 {
		t.Errorf("%d cases were compared: the recordings are not what they were", compared)
	}
}

// replay is a recorded case on its way.
type replay struct {
	answers []any
	// names are what the recording has names for, such as "$uuid1".
	names map[string]any
}

// fill replaces {"$from": "0.createThing.id"} by that part of an answer.
func (r replay) fill(v any) any {
	switch v := v.(type) {
	case object:
		if from, ok := v["$from"].(string); ok {
			var part any = r.answers
			for step := range strings.SplitSeq(from, ".") {
				switch p := part.(type) {
				case object:
					part = p[step]
				case []any:
					i, _ := strconv.Atoi(step)
					part = p[i]
				}
			}
			return part
		}
		filled := object{}
		for name, member := range v {
			filled[name] = r.fill(member)
		}
		return filled
	case []any:
		filled := make([]any, len(v))
		for i, element := range v {
			filled[i] = r.fill(element)
		}
		return filled
	}
	return v
}

// same reports whether an answer is the recorded one. Something that has a name in the recording
// must be a text, and the same wherever the name stands.
func (r replay) same(want, got any) bool {
	switch w := want.(type) {
	case object:
		g, ok := got.(object)
		return ok && len(w) == len(g) && !slices.ContainsFunc(slices.Collect(maps.Keys(w)),
			func(name string) bool { return !r.same(w[name], g[name]) })
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, r.same)
	case string:
		if !recordedName.MatchString(w) {
			break
		}
		text, ok := got.(string)
		if known, found := r.names[w]; found && w != "$token" { // which stands for any token
			return known == got
		}
		r.names[w] = got
		return ok && text != ""
	}
	return cmp.Equal(want, got)
}

var recordedName = regexp.MustCompile(`^\$(uuid|isoTime|token)\d*$`)

// sortItems sorts the items of a connection, whose order means nothing.
func sortItems(data any, connection string) {
	list, _ := data.(object)[connection].(object)["items"].([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(jsonText(a), jsonText(b)) })
}

// sorted returns errors as texts whose order means nothing.
func sorted(errs []jsDataError) (texts []string) {
	for _, e := range errs {
		texts = append(texts, jsonText(e))
	}
	slices.Sort(texts)
	return texts
}

// jsonText returns the JSON of what was decoded from JSON.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
