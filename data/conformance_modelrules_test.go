package data_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/introspection"
)

// invalidInput is the name of our errors that come before any request.
const invalidInput = "InvalidDataInput"

// aCall is the first step of a case, if that is a call of a model.
type aCall struct {
	model     *introspection.Model
	operation string
	index     *introspection.Index
	argument  map[string]any
	options   map[string]any
}

// schemas are the recorded schemas by name.
type schemas map[string]*introspection.Schema

func loadSchemas(t testing.TB) schemas {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformance.Dir(t), "models", "*", "amplify_outputs.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas: ", err)
	}
	all := schemas{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var outputs struct {
			Data struct {
				Introspection json.RawMessage `json:"model_introspection"`
			} `json:"data"`
		}
		if err := json.Unmarshal(raw, &outputs); err != nil {
			t.Fatal(err)
		}
		if all[filepath.Base(filepath.Dir(file))], err = introspection.Parse(outputs.Data.Introspection); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// of returns the schema of a case.
func (s schemas) of(c conformance.Case) *introspection.Schema { return s[fmt.Sprint(c.In("schema"))] }

// steps returns the steps of a case.
func steps(c conformance.Case) (all []map[string]any) {
	list, _ := c.In("steps").([]any)
	for _, step := range list {
		all = append(all, step.(map[string]any))
	}
	return all
}

// argument returns argument i of a step, if it is an object.
func argument(step map[string]any, i int) map[string]any {
	args, _ := step["args"].([]any)
	if i >= len(args) {
		return nil
	}
	object, _ := args[i].(map[string]any)
	return object
}

// call returns the first step as a call of a model.
func (s schemas) call(c conformance.Case) (call aCall, ok bool) {
	all := steps(c)
	if len(all) == 0 || all[0]["on"] != nil {
		return call, false
	}
	parts := strings.Split(fmt.Sprint(all[0]["call"]), ".")
	if schema := s.of(c); schema == nil || parts[0] != "models" || schema.Model(parts[1]) == nil {
		return call, false
	}
	call.model, call.operation = s.of(c).Model(parts[1]), parts[2]
	call.index = indexOf(call.model, call.operation)
	call.argument, call.options = argument(all[0], 0), argument(all[0], 1)
	if call.operation == "list" {
		call.options = call.argument
	}
	return call, true
}

// operation returns the first step as a call of a custom operation.
func (s schemas) operation(c conformance.Case) (o *introspection.Operation, arguments map[string]any) {
	all, schema := steps(c), s.of(c)
	if len(all) == 0 || schema == nil {
		return nil, nil
	}
	kind, name, _ := strings.Cut(fmt.Sprint(all[0]["call"]), ".")
	for _, candidate := range slices.Concat(schema.Queries, schema.Mutations) {
		if candidate.Name == name && (kind == "queries" || kind == "mutations") {
			return candidate, argument(all[0], 0)
		}
	}
	return nil, nil
}

// missingKey returns the first field that the key of a call lacks, or "".
func (call aCall) missingKey() string {
	fields := []string{}
	switch call.operation {
	case "get", "update", "delete":
		if call.model.Operation(introspection.Action(call.operation)) != "" {
			fields = call.model.Key
		}
	case "list":
		_, given := call.argument[call.model.Key[0]]
		if given && call.model.CustomKey {
			fields = call.model.Key[:1]
		}
	default:
		if call.index != nil {
			fields = call.index.Key[:1]
		}
	}
	for _, name := range fields {
		if value := call.argument[name]; value == nil || value == "" {
			return name
		}
	}
	return ""
}

// unknownKey returns the first argument of list that it does not take, or "".
func (call aCall) unknownKey() string {
	known := []string{"filter", "sortDirection", "limit", "nextToken", "selectionSet", "authMode", "authToken", "headers"}
	if call.operation != "list" {
		return ""
	}
	if m := call.model; m.CustomKey {
		known = append(known, m.Key[0])
		if len(m.Key) > 1 {
			joined := m.Key[1]
			for _, more := range m.Key[2:] {
				joined += introspection.Capitalize(more)
			}
			known = append(known, joined)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(call.argument)) {
		if !slices.Contains(known, name) {
			return name
		}
	}
	return ""
}

// related returns a belongs-to field that the item of a mutation has, and a field of its key that
// the item has, too, with another value.
func (call aCall) related() (key string) {
	if call.operation != "create" && call.operation != "update" {
		return ""
	}
	for _, f := range call.model.Fields {
		item, _ := call.argument[f.Name].(map[string]any)
		if f.Relation == nil || item == nil {
			continue
		}
		for _, target := range f.Relation.Targets {
			if call.argument[target] != nil {
				return target
			}
		}
	}
	return ""
}

// selectionFault returns what is wrong with a path of the selection set that the original accepts.
func (s schemas) selectionFault(c conformance.Case, call aCall) string {
	schema := s.of(c)
	paths, _ := call.options["selectionSet"].([]any)
	for _, path := range paths {
		t := introspection.Type{Kind: introspection.ModelType, Name: call.model.Name}
		for _, name := range strings.Split(fmt.Sprint(path), ".") {
			object := schema.Object(t)
			if object == nil || object.Field(name) == nil {
				break
			}
			owner := "model " + t.Name
			if t.Kind == introspection.CustomType {
				owner = "custom type " + t.Name
			}
			t = object.Field(name).Type
			if schema.Object(t) == nil && !strings.HasSuffix("."+fmt.Sprint(path), "."+name) {
				return name + " of " + owner + " has no fields"
			}
		}
	}
	return ""
}

// modelRules are the cases of data.json about models and custom operations in which we differ from
// the original.
func modelRules(t testing.TB) []conformance.Rule {
	s := loadSchemas(t)
	ofCall := func(match func(aCall) bool, more ...func(conformance.Case) bool) func(conformance.Case) bool {
		return func(c conformance.Case) bool {
			call, ok := s.call(c)
			ok = ok && len(steps(c)) == 1 && c.In("omitContext") == nil && match(call)
			for _, match := range more {
				ok = ok && match(c)
			}
			return ok
		}
	}
	return []conformance.Rule{
		{
			Name:   "keys that lack a field",
			Reason: "the original sends the call, which then fails or, where an empty key is left out of a list, returns the whole table",
			Match:  ofCall(func(call aCall) bool { return call.missingKey() != "" }),
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				return refused(c, invalidInput, call.model.Name+"."+call.missingKey()+": the key lacks this field, or it is empty.")
			},
		},
		{
			Name:   "keys that a list does not take",
			Reason: "the original leaves them out, and lists more than was asked for",
			Match:  ofCall(func(call aCall) bool { return call.unknownKey() != "" }),
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				return refused(c, invalidInput, fmt.Sprintf("%s.%s: %s has no such key.",
					call.model.Name, call.unknownKey(), call.model.Operation(introspection.List)))
			},
		},
		{
			Name:   "a direction without an order",
			Reason: "the original sends the variable, which no document declares",
			Match: ofCall(func(call aCall) bool {
				return call.operation == "list" && !call.model.CustomKey && call.options["sortDirection"] != nil
			}),
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				return refused(c, invalidInput, call.model.Name+": "+call.model.Operation(introspection.List)+" has no order.")
			},
		},
		{
			Name:   "paths that go on behind a value",
			Reason: "the original cuts them short: title.x becomes title",
			Match: func(c conformance.Case) bool {
				call, ok := s.call(c)
				name, _ := lastError(c)
				return ok && name == "" && s.selectionFault(c, call) != ""
			},
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				return refused(c, "AmplifyDataError", s.selectionFault(c, call))
			},
		},
		{
			Name:   "empty selections",
			Reason: "the original makes a document that cannot be parsed",
			Match: ofCall(func(call aCall) bool {
				paths, ok := call.options["selectionSet"].([]any)
				return ok && len(paths) == 0
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "AmplifyDataError", "is empty: name fields, or leave it out for all of them")
			},
		},
		{
			Name:   "a key and a related item that differ",
			Reason: "in the original the one that comes later wins. Maps and structs of Go have no such order",
			Match:  ofCall(func(call aCall) bool { return call.related() != "" }),
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				return refused(c, invalidInput, call.model.Name+"."+call.related()+": the field and the related item have different values.")
			},
		},
		{
			Name:   "lists whose items are null",
			Reason: "the original returns the page itself as data",
			Match: ofCall(func(call aCall) bool {
				return call.operation == "list" || call.index != nil
			}, func(c conformance.Case) bool {
				value, _ := results(c)[0]["value"].(map[string]any)
				_, isPage := value["data"].(map[string]any)
				return isPage
			}),
			Instead: func(c conformance.Case) conformance.Case {
				all := results(c)
				all[0]["value"].(map[string]any)["data"] = []any{}
				return c.Expect(all, "results")
			},
		},
		{
			Name:   "answers with a field before the one that was asked for",
			Reason: "the original takes the first field of the answer",
			Match: ofCall(func(call aCall) bool { return true }, func(c conformance.Case) bool {
				body, _ := reply(c)["body"].(map[string]any)
				data, _ := body["data"].(map[string]any)
				return len(data) > 1
			}),
			Instead: func(c conformance.Case) conformance.Case {
				call, _ := s.call(c)
				data := reply(c)["body"].(map[string]any)["data"].(map[string]any)
				item := data[call.model.Operation(introspection.Action(call.operation))].(map[string]any)
				for _, f := range call.model.Fields {
					if f.Relation != nil {
						item[f.Name] = "$lazy"
					}
				}
				all := results(c)
				all[0]["value"] = map[string]any{"data": item}
				return c.Expect(all, "results")
			},
		},
		{
			Name:   "arguments that an operation does not have",
			Reason: "the original leaves them out",
			Match: func(c conformance.Case) bool {
				o, arguments := s.operation(c)
				return o != nil && c.In("omitContext") == nil && surplus(o, arguments) != ""
			},
			Instead: func(c conformance.Case) conformance.Case {
				o, arguments := s.operation(c)
				return refused(c, invalidInput, fmt.Sprintf("%s: there is no argument %q.", o.Name, surplus(o, arguments)))
			},
		},
		{
			Name:   "empty elements, and values beside errors, of custom operations",
			Reason: "the original drops elements that are null, 0, false or \"\", and such a value if there are errors",
			Match: func(c conformance.Case) bool {
				return len(steps(c)) == 1 && s.dropped(c)
			},
			Instead: s.withDropped,
		},
		{
			Name: "relations",
			Reason: "the original lists all items of the other model and filters them, where we read the index of the relation. Of a key " +
				"with several fields it looks for all but the first under wrong names. It leaves out filter and headers, and takes " +
				"an item without a key for one without relations",
			Match: func(c conformance.Case) bool {
				differs := false
				s.eachRelation(c, func(r *lazyStep) { differs = differs || r.differs() })
				return differs
			},
			Instead: func(c conformance.Case) conformance.Case {
				requests, _ := c.Want("requests").([]any)
				all := results(c)
				s.eachRelation(c, func(r *lazyStep) {
					if r.request < 0 {
						all[r.step] = r.withoutRequest(all[r.step])
					} else {
						r.rewrite(requests[r.request].(map[string]any))
					}
				})
				c = c.Expect(requests, "requests").Expect(all, "results")
				if s.dropped(c) {
					c = s.withDropped(c)
				}
				return c
			},
		},
	}
}

// dropped reports whether the first step calls a custom operation of whose result the original drops
// something.
func (s schemas) dropped(c conformance.Case) bool {
	o, _ := s.operation(c)
	value, sent := answered(c, o)
	list, _ := value.([]any)
	return sent && (slices.ContainsFunc(list, isFalsy) || firstError(c) != nil && value != nil && isFalsy(value))
}

// withDropped returns c with all that the operation has answered.
func (s schemas) withDropped(c conformance.Case) conformance.Case {
	o, _ := s.operation(c)
	value, _ := answered(c, o)
	list, _ := value.([]any)
	for _, item := range list {
		if item, ok := item.(map[string]any); ok && o.Type.Kind == introspection.ModelType {
			for _, f := range s.of(c).Model(o.Type.Name).Fields {
				if f.Relation != nil {
					item[f.Name] = "$lazy"
				}
			}
		}
	}
	all := results(c)
	all[0]["value"].(map[string]any)["data"] = value
	return c.Expect(all, "results")
}

// surplus returns the first argument that o does not have, or "".
func surplus(o *introspection.Operation, arguments map[string]any) string {
	if len(o.Arguments) == 0 { // options take their place
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		if !slices.ContainsFunc(o.Arguments, func(f *introspection.Field) bool { return f.Name == name }) {
			return name
		}
	}
	return ""
}

// answered returns the value that the first canned reply has for o.
func answered(c conformance.Case, o *introspection.Operation) (value any, ok bool) {
	replies, _ := c.In("responses").([]any)
	if len(replies) == 0 {
		return nil, false
	}
	body, _ := replies[0].(map[string]any)["body"].(map[string]any)
	data, _ := body["data"].(map[string]any)
	if o != nil {
		value, ok = data[o.Name]
	}
	return value, ok
}

// isFalsy reports whether JavaScript takes v for false.
func isFalsy(v any) bool { return v == nil || v == false || v == 0.0 || v == "" }

// lazyStep is a step that reads a relation.
type lazyStep struct {
	schema  *introspection.Schema
	model   *introspection.Model
	field   *introspection.Field
	item    map[string]any // whose relation it is, as the reply has it
	options map[string]any
	step    int
	request int // -1 if none was sent
}

// eachRelation calls f for the steps of c that read relations.
func (s schemas) eachRelation(c conformance.Case, f func(*lazyStep)) {
	schema := s.of(c)
	if schema == nil {
		return
	}
	model, sent := "", 0
	replies, _ := c.In("responses").([]any)
	for i, step := range steps(c) {
		name := fmt.Sprint(step["call"])
		if step["on"] == nil {
			parts := strings.Split(name, ".")
			if parts[0] == "models" {
				model = parts[1]
			} else if o, _ := s.operation(c); o != nil {
				model = o.Type.Name
			}
		} else if m := schema.Model(model); m != nil && m.Field(name) != nil {
			r := &lazyStep{schema: schema, model: m, field: m.Field(name), options: argument(step, 0), step: i, request: -1}
			if results(c)[i]["requestCount"] != nil {
				r.request = sent
			}
			if sent > 0 && len(replies) > 0 {
				r.item = itemOf(replies[min(sent, len(replies))-1].(map[string]any), fmt.Sprint(step["on"]))
			}
			f(r)
			model = r.field.Type.Name
		}
		if results(c)[i]["requestCount"] != nil {
			sent++
		}
	}
}

// itemOf returns the item that stands at a place of the original's result, in a reply.
func itemOf(reply map[string]any, on string) map[string]any {
	body, _ := reply["body"].(map[string]any)
	data, _ := body["data"].(map[string]any)
	for _, value := range data {
		if page, ok := value.(map[string]any); ok && page["items"] != nil {
			value = page["items"]
		}
		if list, ok := value.([]any); ok {
			list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return v == nil })
			if len(list) == 0 {
				return nil
			}
			value = list[0]
		}
		item, _ := value.(map[string]any)
		return item
	}
	return nil
}

func (r *lazyStep) belongsTo() bool { return r.field.Relation.Kind == introspection.BelongsTo }

// differs reports whether we do something else.
func (r *lazyStep) differs() bool {
	if r.request < 0 {
		return !r.belongsTo()
	}
	return !r.belongsTo() || len(r.field.Relation.Targets) > 1 || r.options["headers"] != nil
}

// withoutRequest returns our result for an item whose key is missing.
func (r *lazyStep) withoutRequest(result map[string]any) map[string]any {
	if r.belongsTo() {
		return result
	}
	return map[string]any{"error": map[string]any{
		"name":    invalidInput,
		"message": r.model.Name + "." + r.model.Key[0] + ": the item lacks this field, by which the relation is found.",
	}}
}

// rewrite makes our request of a recorded one.
func (r *lazyStep) rewrite(request map[string]any) {
	if headers, ok := r.options["headers"].(map[string]any); ok {
		for name, value := range headers {
			request["headers"].(map[string]any)[name] = value
		}
	}
	body := request["body"].(map[string]any)
	variables := body["variables"].(map[string]any)
	if r.belongsTo() {
		other := r.schema.Model(r.field.Type.Name)
		for i, target := range r.field.Relation.Targets {
			variables[other.Key[i]] = r.item[target]
		}
		return
	}
	delete(variables, "filter")
	if filter := r.options["filter"]; filter != nil {
		variables["filter"] = filter
	}
	var declared, given []string
	for _, name := range r.model.Key {
		variables[name] = r.item[name]
		declared = append(declared, fmt.Sprintf("$%s: %s!", name, r.model.Field(name).Type.Name))
		given = append(given, fmt.Sprintf("%s: $%s", name, name))
	}
	query := body["query"].(string)
	_, query, _ = strings.Cut(query, "items {")
	selected := query[:strings.LastIndex(query[:strings.LastIndex(query, "nextToken")], "}")]
	arguments := ""
	if r.field.Type.List {
		selected = "items {" + selected + "} nextToken __typename"
		arguments = "(filter: $filter, sortDirection: $sortDirection, limit: $limit, nextToken: $nextToken)"
		declared = append(declared, "$filter: Model"+r.field.Type.Name+"FilterInput",
			"$sortDirection: ModelSortDirection", "$limit: Int", "$nextToken: String")
	}
	body["query"] = fmt.Sprintf("query (%s) { %s(%s) { %s%s { %s } } }", strings.Join(declared, ", "),
		r.model.Operation(introspection.Get), strings.Join(given, ", "), r.field.Name, arguments, selected)
}
