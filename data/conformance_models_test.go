package data_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/introspection"
)

// found is what a step has found: the relations of its items can be read by the next one.
type found struct {
	model   string // of the items, or ""
	data    any    // an item, a list or nil
	options jsOptions
}

// jsArguments are the arguments of a call of a model: an object, and options. list has both in one.
type jsArguments struct {
	jsOptions
	SelectionSet  []string           `json:"selectionSet"`
	Filter        map[string]any     `json:"filter"`
	SortDirection data.SortDirection `json:"sortDirection"`
	Limit         int                `json:"limit"`
	NextToken     string             `json:"nextToken"`
}

// object returns argument i as an object without what is undefined, or nil.
func (s recordedStep) object(i int) map[string]any {
	if i >= len(s.Args) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(s.Args[i]))
	d.UseNumber()
	var object map[string]any
	_ = d.Decode(&object)
	for name, value := range object {
		if member, ok := value.(map[string]any); ok && member["$undefined"] == true {
			delete(object, name)
		}
	}
	return object
}

// arguments returns argument i as options.
func (s recordedStep) arguments(i int) (in jsArguments, err error) {
	if i >= len(s.Args) {
		return in, nil
	}
	if string(s.Args[i]) == "null" {
		return in, errNoOptions
	}
	return in, json.Unmarshal(s.Args[i], &in)
}

// errNoOptions is for null as options. In Go they are no pointer.
var errNoOptions = errors.New("options are null")

// modelCall makes a call of a model.
func (r *recording) modelCall(step recordedStep) (any, error) {
	parts := strings.Split(step.Call, ".")
	name, operation := parts[1], parts[2]
	schema, err := introspection.Of(r.app)
	if err != nil {
		return nil, err
	}
	index := indexOf(schema.Model(name), operation)
	in, err := step.arguments(1)
	if operation == "list" {
		in, err = step.arguments(0)
	}
	if err != nil {
		return nil, err
	}
	m, err := data.DynamicModelOf(r.app, name, in.SelectionSet...)
	if err != nil {
		return nil, onlyFault(err)
	}
	m = m.With(r.options)
	options, err := in.options()
	if err != nil {
		return nil, err
	}
	lazy := in.SelectionSet == nil
	if operation == "list" || index != nil {
		list := data.ListInput{
			SortDirection: in.SortDirection, Limit: in.Limit, NextToken: in.NextToken, Options: options,
		}
		if in.Filter != nil {
			list.Filter = data.RawFilter(in.Filter)
		}
		key := step.object(0)
		if operation == "list" {
			key = listKey(schema.Model(name), key)
		} else {
			list.Index = operation
		}
		list.Key = key
		page, err := m.List(r.ctx, list)
		return r.foundPage(name, page, err, in.jsOptions, lazy)
	}
	argument := step.object(0)
	var item *map[string]any
	switch operation {
	case "get", "delete":
		key, err := m.KeyOf(argument)
		if err != nil {
			return nil, err
		}
		if operation == "get" {
			item, err = m.Get(r.ctx, data.GetInput{Key: key, Options: options})
		} else {
			item, err = m.Delete(r.ctx, data.DeleteInput{Key: key, Options: options})
		}
		return r.foundItem(name, item, err, in.jsOptions, lazy)
	case "create":
		item, err = m.Create(r.ctx, data.CreateInput{Item: argument, Options: options})
	case "update":
		item, err = m.Update(r.ctx, data.UpdateInput{Item: argument, Options: options})
	default:
		return nil, fmt.Errorf("%s has no %s", name, operation)
	}
	return r.foundItem(name, item, err, in.jsOptions, lazy)
}

// onlyFault returns the only fault of a selection in the form of the original's error.
func onlyFault(err error) error {
	var e *amplify.Error
	if faults := amplify.ConfigErrors(err); len(faults) == 1 && errors.As(err, &e) {
		return &amplify.Error{Name: e.Name, Message: faults[0].Problem}
	}
	return err
}

// listKey returns the members of the argument of list that are a key for it.
func listKey(m *introspection.Model, argument map[string]any) data.Key {
	key := data.Key{}
	for name, value := range argument {
		switch name {
		case "filter", "sortDirection", "limit", "nextToken", "selectionSet", "authMode", "authToken", "headers":
		default:
			key[name] = value
		}
	}
	return key
}

// foundItem returns what the original resolves to for an item.
func (r *recording) foundItem(model string, item *map[string]any, err error, o jsOptions, lazy bool) (any, error) {
	r.last = found{model: model, options: o}
	if errors.Is(err, data.ErrNotFound) {
		return map[string]any{}, nil
	}
	value := map[string]any{}
	if item != nil {
		r.last.data = *item
		value["data"] = r.withRelations(model, *item, lazy)
	}
	return value, err
}

// foundPage returns what the original resolves to for a page.
func (r *recording) foundPage(
	model string, page *data.Page[map[string]any], err error, o jsOptions, lazy bool,
) (any, error) {
	items, shown := []any{}, []any{}
	value := map[string]any{}
	if page != nil {
		for _, item := range page.Items {
			items = append(items, item)
			shown = append(shown, r.withRelations(model, item, lazy))
		}
		if page.NextToken != "" {
			value["nextToken"] = page.NextToken
		}
	}
	r.last = found{model, items, o}
	var e *amplify.Error
	answered := errors.As(err, &e)
	if answered {
		_, answered = e.Err.(data.GraphQLErrors)
	}
	if err == nil || answered {
		value["data"] = shown
	}
	return value, err
}

// withRelations returns an item with "$lazy" for its relations.
func (r *recording) withRelations(model string, item map[string]any, lazy bool) any {
	if item == nil {
		return nil
	}
	shown := map[string]any{}
	for name, value := range item {
		shown[name] = value
	}
	schema, _ := introspection.Of(r.app)
	m, err := data.DynamicModelOf(r.app, model)
	if !lazy || err != nil {
		return shown
	}
	for _, f := range schema.Model(model).Fields {
		if f.Relation == nil {
			continue
		}
		if _, err := data.RelationOf[map[string]any](m, f.Name); err == nil {
			shown[f.Name] = "$lazy"
		}
	}
	return shown
}

// lazyCall reads a relation of what the step before has found.
func (r *recording) lazyCall(step recordedStep) (any, error) {
	item := r.last.data
	for _, part := range strings.Split(step.On, ".")[1:] {
		i, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		item = item.([]any)[i]
	}
	in, err := step.arguments(0)
	if err != nil {
		return nil, err
	}
	m, err := data.DynamicModelOf(r.app, r.last.model)
	if err != nil {
		return nil, err
	}
	// A relation of the original keeps the mode of the call that found the item. Ours has the options
	// of its model, which a program gives.
	kept, err := jsOptions{AuthMode: r.last.options.AuthMode, AuthToken: r.last.options.AuthToken}.options()
	if err != nil {
		return nil, err
	}
	relation, err := data.RelationOf[map[string]any](m.With(r.options).With(kept), step.Call)
	if err != nil {
		return nil, err
	}
	options, err := in.options()
	if err != nil {
		return nil, err
	}
	input := data.RelationInput{
		Of: item, SortDirection: in.SortDirection, Limit: in.Limit, NextToken: in.NextToken, Options: options,
	}
	if in.Filter != nil {
		input.Filter = data.RawFilter(in.Filter)
	}
	schema, err := introspection.Of(r.app)
	if err != nil {
		return nil, err
	}
	f := schema.Model(r.last.model).Field(step.Call)
	used := r.last.options
	if in.AuthMode != "" {
		used = in.jsOptions
	}
	if f.Relation.Kind != introspection.BelongsTo {
		// We ask for a field of the item where the original lists the other items.
		parent := schema.Model(r.last.model).Operation(introspection.Get)
		r.server.nest(schema.Model(f.Type.Name).Operation(introspection.List), func(list json.RawMessage) any {
			if !f.Type.List {
				var page struct{ Items []json.RawMessage }
				if _ = json.Unmarshal(list, &page); len(page.Items) > 0 {
					return map[string]any{parent: map[string]any{f.Name: page.Items[0]}}
				}
				list = nil
			}
			return map[string]any{parent: map[string]any{f.Name: list}}
		})
	}
	if f.Type.List {
		page, err := relation.List(r.ctx, input)
		return r.foundPage(f.Type.Name, page, err, used, true)
	}
	one, err := relation.Get(r.ctx, input)
	return r.foundItem(f.Type.Name, one, err, used, true)
}

// nest puts the list of the next reply where member says.
func (c *capture) nest(query string, member func(list json.RawMessage) any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.responses) == 0 {
		return
	}
	a := &c.responses[min(c.sent, len(c.responses)-1)]
	var body map[string]json.RawMessage
	var lists map[string]json.RawMessage
	if json.Unmarshal(a.Body, &body) != nil || json.Unmarshal(body["data"], &lists) != nil || lists[query] == nil {
		return
	}
	body["data"], _ = json.Marshal(member(lists[query]))
	a.Body, _ = json.Marshal(body)
}

// operationCall makes a call of a custom operation.
func (r *recording) operationCall(step recordedStep) (any, error) {
	_, name, _ := strings.Cut(step.Call, ".")
	schema, err := introspection.Of(r.app)
	if err != nil {
		return nil, err
	}
	var of *introspection.Operation
	for _, o := range slices.Concat(schema.Queries, schema.Mutations) {
		if o.Name == name {
			of = o
		}
	}
	operation, err := data.OperationOf[any](r.app, name)
	if err != nil {
		return nil, err
	}
	input, at := data.CallInput{}, 0
	if len(of.Arguments) > 0 {
		input.Arguments, at = step.object(0), 1
	}
	in, err := step.arguments(at)
	if err != nil {
		return nil, err
	}
	if input.Options, err = in.options(); err != nil {
		return nil, err
	}
	result, err := operation.With(r.options).Call(r.ctx, input)
	value := map[string]any{}
	if result == nil {
		return value, err
	}
	value["data"] = *result
	if of.Type.Kind == introspection.ModelType {
		r.last = found{of.Type.Name, *result, in.jsOptions}
		switch result := (*result).(type) {
		case map[string]any:
			value["data"] = r.withRelations(of.Type.Name, result, true)
		case []any:
			// The original has dropped these when it looks for items by their places.
			r.last.data = slices.DeleteFunc(slices.Clone(result), func(item any) bool { return item == nil })
			shown := make([]any, len(result))
			for i, item := range result {
				item, _ := item.(map[string]any)
				shown[i] = r.withRelations(of.Type.Name, item, true)
			}
			value["data"] = shown
		}
	}
	return value, err
}

// enumCall returns the values of an enum.
func (r *recording) enumCall(step recordedStep) (any, error) {
	values, err := data.EnumValues(r.app, strings.Split(step.Call, ".")[1])
	return map[string]any{"value": values}, err
}

// surface tells what there is to be called.
func (r *recording) surface(recordedStep) (any, error) {
	models, names := map[string]any{}, map[string][]string{"queries": {}, "mutations": {}, "enums": {}}
	schema, err := introspection.Of(r.app)
	if err != nil || r.options.Endpoint != "" { // no description is that of another API
		schema = &introspection.Schema{}
	}
	for _, m := range schema.Models {
		operations := []string{}
		for _, a := range m.Actions() {
			operations = append(operations, string(a))
		}
		for _, i := range m.Indexes {
			operations = append(operations, i.Query)
		}
		slices.Sort(operations)
		models[m.Name] = operations
	}
	for _, o := range schema.Queries {
		names["queries"] = append(names["queries"], o.Name)
	}
	for _, o := range schema.Mutations {
		names["mutations"] = append(names["mutations"], o.Name)
	}
	for _, e := range schema.Enums {
		names["enums"] = append(names["enums"], e.Name)
	}
	value := map[string]any{"models": models, "subscriptions": nil}
	for kind, names := range names {
		slices.Sort(names)
		value[kind] = names
	}
	return value, nil
}

// indexOf returns the index of m that a query reads, or nil.
func indexOf(m *introspection.Model, query string) *introspection.Index {
	for _, i := range m.Indexes {
		if i.Query == query {
			return i
		}
	}
	return nil
}
