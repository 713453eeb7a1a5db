package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// A verdictCase is a case of appsync.json, as far as the rules are concerned.
type verdictCase struct {
	ID    string
	Input struct {
		Schema     string
		Identities map[string]struct {
			Mode, Iss  string
			Claims     map[string]any
			Identity   map[string]any
			Authorized bool
		}
		Steps []struct {
			As, Document, OperationName string
			Variables                   map[string]any
			Body                        any
		}
	}
	Expected struct{ Steps []verdict }
}

type verdict struct {
	Data       map[string]any
	Subscribed bool
	Filter     map[string]any
	AWS        json.RawMessage
	Errors     []struct {
		Path                     []any
		ErrorType, Message, Kind string
	}
}

// at returns the message of the refusal at a path.
func (v *verdict) at(path []any) string {
	for _, e := range v.Errors {
		if e.ErrorType == "Unauthorized" && fmt.Sprint(e.Path) == fmt.Sprint(path) {
			return e.Message
		}
	}
	return ""
}

// TestVerdicts replays the recorded cases and compares who may do what. It keeps items as the
// recorded answers tell; filters, pages and conditions of callers are left to the executor's tests.
func TestVerdicts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(recorded(t), "appsync.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []verdictCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*Schema{}
	for _, name := range models(t) {
		schemas[name] = load(t, name)
	}
	compared := 0
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			run := &replay{T: t, s: schemas[c.Input.Schema], items: map[string][]map[string]any{}}
			for i, step := range c.Input.Steps {
				who, ok := identityOf(c, step.As)
				run.step, run.want, run.id = i, &c.Expected.Steps[i], who
				if ok && step.Body == nil && !run.broken() {
					run.document(step.Document, step.OperationName, c.resolve(step.Variables))
				}
			}
			compared += run.compared
		})
	}
	t.Logf("%d verdicts compared", compared)
	if compared < 1000 {
		t.Errorf("only %d verdicts were compared", compared)
	}
}

// identityOf returns a caller as the service knows them; false if the request is refused before.
func identityOf(c verdictCase, name string) (Identity, bool) {
	who := c.Input.Identities[name]
	switch who.Mode {
	case "apiKey":
		return Identity{Provider: APIKey}, true
	case "userPool":
		return Identity{Provider: UserPool, Claims: who.Claims}, who.Iss == ""
	case "lambda":
		return Identity{Provider: Function}, who.Authorized
	case "iam":
		id := Identity{Provider: IAM}
		arn, _ := who.Identity["userArn"].(string)
		mine := who.Identity["cognitoIdentityPoolId"] == "us-east-1:11111111-2222-3333-4444-555555555555"
		switch {
		case who.Identity["cognitoIdentityPoolId"] == nil:
			id.IAM = Admin
		case mine && strings.Contains(arn, "/auth/"):
			id.IAM = SignedIn
		case mine && strings.Contains(arn, "/guest/"):
			id.IAM = Guest
		case mine && who.Identity["cognitoIdentityAuthType"] == "authenticated":
			id.IAM = SignedInOtherRole
		}
		return id, true
	}
	return Identity{}, false
}

// resolve puts parts of earlier answers in place of references to them.
func (c verdictCase) resolve(v map[string]any) map[string]any {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if from, ok := v["$from"].(string); ok {
				parts := strings.Split(from, ".")
				n, _ := strconv.Atoi(parts[0])
				var at any = c.Expected.Steps[n].Data
				for _, p := range parts[1:] {
					switch in := at.(type) {
					case map[string]any:
						at = in[p]
					case []any:
						i, _ := strconv.Atoi(p)
						at = in[i]
					}
				}
				return at
			}
			out := map[string]any{}
			for k, e := range v {
				out[k] = walk(e)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = walk(e)
			}
			return out
		}
		return v
	}
	out, _ := walk(v).(map[string]any)
	return out
}

// A replay is one case under way.
type replay struct {
	*testing.T
	s        *Schema
	items    map[string][]map[string]any
	step     int
	want     *verdict
	id       Identity
	mutation bool
	compared int
}

// broken reports whether the step failed for reasons that are not the rules'.
func (r *replay) broken() bool {
	if strings.HasPrefix(string(r.want.AWS), "{") { // AWS answers otherwise than the simulator
		return true
	}
	for _, e := range r.want.Errors {
		if e.Kind != "" && e.Kind != "nonNull" {
			return true
		}
	}
	return false
}

func (r *replay) document(text, name string, vars map[string]any) {
	doc, errs := gqlparser.LoadQueryWithRules(r.s.API, text, rules.NewDefaultRules())
	if errs != nil {
		return
	}
	op := doc.Operations.ForName(name)
	root := map[ast.Operation]*ast.Definition{
		ast.Query: r.s.API.Query, ast.Mutation: r.s.API.Mutation, ast.Subscription: r.s.API.Subscription,
	}[op.Operation]
	r.mutation = op.Operation == ast.Mutation
	for _, f := range r.fields(op.SelectionSet, vars) {
		if !strings.HasPrefix(f.Name, "__") {
			r.root(op.Operation, root, f, f.ArgumentMap(vars), vars)
		}
	}
}

// fields returns the selected fields, with those of fragments.
func (r *replay) fields(set ast.SelectionSet, vars map[string]any) []*ast.Field {
	var out []*ast.Field
	skipped := func(list ast.DirectiveList) bool {
		for _, d := range list {
			on, _ := d.ArgumentMap(vars)["if"].(bool)
			if on == (d.Name == "skip") {
				return true
			}
		}
		return false
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if !skipped(sel.Directives) {
				out = append(out, sel)
			}
		case *ast.InlineFragment:
			if !skipped(sel.Directives) {
				out = append(out, r.fields(sel.SelectionSet, vars)...)
			}
		case *ast.FragmentSpread:
			if !skipped(sel.Directives) {
				out = append(out, r.fields(sel.Definition.SelectionSet, vars)...)
			}
		}
	}
	return out
}

// compare compares a verdict with the recorded one at a path.
func (r *replay) compare(path []any, err error) {
	r.compared++
	got := ""
	if err != nil {
		got = err.Error()
	}
	want := r.want.at(path)
	if order(got) != order(want) {
		r.Errorf("step %d, %v: the rules say %q, recorded is %q", r.step, path, got, want)
	}
}

// order sorts the names in "Unauthorized on [b, a]".
func order(message string) string {
	before, list, found := strings.Cut(message, " on [")
	if !found {
		return message
	}
	names := strings.Split(strings.TrimSuffix(list, "]"), ", ")
	slices.Sort(names)
	return before + fmt.Sprint(names)
}

func (r *replay) root(kind ast.Operation, typ *ast.Definition, f *ast.Field, args, vars map[string]any) {
	path := []any{f.Alias}
	op := r.s.Operation(kind, f.Name)
	if err := r.s.AllowField(r.id, typ, f.Definition); err != nil {
		r.compare(path, err)
		return
	}
	answer, answered := r.want.Data[f.Alias].(map[string]any)
	m := op.Model
	if m == nil {
		r.compare(path, r.s.AllowCustom(r.id, typ.Name, f.Name))
		return
	}
	switch op.Kind {
	case Create, Update, Delete:
		input, _ := args["input"].(map[string]any)
		item := r.mutate(op, path, input, answer, answered)
		if answered {
			r.item(m, path, f.SelectionSet, item, answer, vars)
		}
	case Get:
		grant, err := r.s.AllowRead(r.id, op, args)
		item := r.find(m, m.Key.Fields(), args)
		if err == nil && item != nil && !selects(grant, item) {
			item, err = nil, unauthorized()
		}
		r.compare(path, err)
		if item != nil && answered {
			r.item(m, path, f.SelectionSet, item, answer, vars)
		}
	case List, Index:
		grant, err := r.s.AllowRead(r.id, op, args)
		r.compare(path, err)
		if len(args) > 0 || err != nil || !answered {
			return
		}
		visible := 0
		for _, item := range r.items[m.Name] {
			if selects(grant, item) {
				visible++
			}
		}
		if items, ok := answer["items"].([]any); ok && len(items) != visible && visible <= 100 {
			r.Errorf("step %d, %v: %d items are visible, recorded are %d", r.step, path, visible, len(items))
		}
	default:
		filter, err := r.s.AllowSubscribe(r.id, m, args)
		r.compare(path, err)
		if err == nil && r.want.Subscribed {
			if d := cmp.Diff(normal(r.want.Filter), normal(filter)); d != "" {
				r.Errorf("step %d: the filter differs (-recorded +ours):\n%s", r.step, d)
			}
		}
	}
}

// normal gives maps their JSON form.
func normal(m map[string]any) any {
	text, _ := json.Marshal(m)
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

// mutate compares the verdict of a mutation, and does it if it was done. It returns the item.
func (r *replay) mutate(op *Operation, path []any, input, answer map[string]any, done bool) map[string]any {
	m := op.Model
	key := maps.Clone(input)
	if op.Kind == Create {
		full := maps.Clone(input)
		for _, f := range m.Fields {
			if f.Default != nil && full[f.Name] == nil {
				full[f.Name] = f.Default
			}
		}
		item, err := r.s.AllowCreate(r.id, m, full)
		r.compare(path, err)
		if err != nil || !done {
			return nil
		}
		if item["id"] == nil {
			item["id"] = answer["id"]
		}
		if item["id"] == nil {
			item["id"] = fmt.Sprintf("made-%d-%v", r.step, path)
		}
		r.items[m.Name] = append(r.items[m.Name], item)
		return item
	}
	item := r.find(m, m.Key.Fields(), key)
	if op.Kind == Update {
		r.compare(path, r.s.AllowUpdate(r.id, m, item, input))
		if done && item != nil {
			maps.Copy(item, input)
		}
		return item
	}
	r.compare(path, r.s.AllowDelete(r.id, m, item))
	if done {
		r.items[m.Name] = slices.DeleteFunc(r.items[m.Name], func(one map[string]any) bool {
			return reflect.ValueOf(one).Pointer() == reflect.ValueOf(item).Pointer()
		})
	}
	return item
}

func (r *replay) find(m *Model, fields []string, values map[string]any) map[string]any {
	for _, item := range r.items[m.Name] {
		if !slices.ContainsFunc(fields, func(f string) bool {
			return fmt.Sprint(item[f]) != fmt.Sprint(values[f])
		}) {
			return item
		}
	}
	return nil
}

// selects reports whether a grant selects an item. It knows the operators that the rules use.
func selects(g Grant, item map[string]any) bool {
	for f, v := range g.Key {
		if item[f] != v {
			return false
		}
	}
	if g.Filter == nil {
		return true
	}
	for _, one := range g.Filter["or"].([]any) {
		for f, c := range one.(map[string]any) {
			for operator, value := range c.(map[string]any) {
				have := item[f]
				switch operator {
				case "eq":
					if have == value {
						return true
					}
				case "in":
					if slices.Contains(value.([]any), have) {
						return true
					}
				case "containsAny":
					if list, ok := have.([]any); ok && slices.ContainsFunc(list, func(e any) bool {
						return slices.Contains(value.([]any), e)
					}) {
						return true
					}
				case "contains":
					if list, ok := have.([]any); ok && slices.Contains(list, value) {
						return true
					}
				}
			}
		}
	}
	return false
}

// item compares the verdicts on the selected fields of an item.
func (r *replay) item(
	m *Model, path []any, set ast.SelectionSet, item, answer, vars map[string]any,
) {
	if item == nil {
		return
	}
	for _, sel := range r.fields(set, vars) {
		f := m.Field(sel.Name)
		if f == nil {
			continue
		}
		at := append(slices.Clone(path), sel.Alias)
		if err := r.s.AllowField(r.id, r.s.API.Types[m.Name], sel.Definition); err != nil {
			r.compare(at, err)
			continue
		}
		if f.Relation == nil {
			r.compare(at, r.s.AllowReadField(r.id, f, item))
			switch {
			case r.mutation && f.Redacted():
				if answer[sel.Alias] != nil {
					r.Errorf("step %d, %v: the field is left out, recorded is %v", r.step, at, answer[sel.Alias])
				}
			case f.Owner && r.want.at(at) == "":
				if d := cmp.Diff(answer[sel.Alias], ShownOwner(item[f.Name])); d != "" {
					r.Errorf("step %d, %v: the owner differs (-recorded +ours):\n%s", r.step, at, d)
				}
			}
			continue
		}
		r.relation(f, at, sel, item, answer, vars)
	}
}

func (r *replay) relation(f *Field, at []any, sel *ast.Field, item, answer, vars map[string]any) {
	grant, err := r.s.AllowRelation(r.id, f, item)
	rel := f.Relation
	if rel.Kind == HasMany {
		r.compare(at, err)
		page, ok := answer[sel.Alias].(map[string]any)
		if items, _ := page["items"].([]any); ok && r.mutation && f.Redacted() && len(items) > 0 {
			r.Errorf("step %d, %v: the relation is left out, recorded are %d items", r.step, at, len(items))
		}
		return
	}
	values := map[string]any{}
	for i, name := range rel.References {
		values[name] = item[rel.Fields[i]]
	}
	other := r.find(rel.Model, rel.References, values)
	if err != nil || r.mutation && f.Redacted() {
		other = nil
	}
	if err == nil && other != nil && !selects(grant, other) {
		other, err = nil, unauthorized()
	}
	r.compare(at, err)
	inner, ok := answer[sel.Alias].(map[string]any)
	if ok != (other != nil) {
		r.Errorf("step %d, %v: the related item is %v, recorded is %v", r.step, at, other, answer[sel.Alias])
	}
	if ok {
		r.item(rel.Model, at, sel.SelectionSet, other, inner, vars)
	}
}
