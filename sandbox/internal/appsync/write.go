package appsync

import (
	"context"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// errConditional is the error of a write whose condition does not hold.
var errConditional = &schema.Error{Type: "DynamoDB:ConditionalCheckFailedException",
	Message: "The conditional request failed"}

// inputOf returns the input of a mutation and its condition.
func inputOf(args map[string]any) (map[string]any, filter.Filter, error) {
	input, _ := args["input"].(map[string]any)
	holds, err := filter.ParseInput(args["condition"])
	return maps.Clone(input), holds, err
}

// create answers a mutation that makes an item.
func (r *resolver) create(ctx context.Context, op *schema.Operation,
	args map[string]any) (any, error) {
	m := op.Model
	input, holds, err := inputOf(args)
	if err != nil {
		return nil, err
	}
	for _, f := range m.Fields {
		if f.Default != nil && input[f.Name] == nil {
			input[f.Name] = f.Default
		}
	}
	if err := checkJoined(m, input, "creating"); err != nil {
		return nil, err
	}
	item, err := r.cfg.Schema.AllowCreate(r.caller.Identity, m, input)
	if err != nil {
		return nil, err
	}
	if err := m.Check(op, item); err != nil {
		return nil, err
	}
	item = maps.Clone(item)
	if m.Field("id") != nil && item["id"] == nil {
		item["id"] = uuid.NewString()
	}
	now := r.now()
	for _, name := range []string{m.CreatedAt, m.UpdatedAt} {
		if name != "" && item[name] == nil {
			item[name] = now
		}
	}
	for _, k := range m.Indexes {
		// An index leaves out what has no partition key. A null would be refused.
		if v, present := item[k.Partition]; present && v == nil {
			delete(item, k.Partition)
		}
	}
	setJoined(m, item, item)
	err = r.items.Change(ctx, r.tables[m], item, func(old items.Item) (items.Item, error) {
		if old != nil || !holds(nil) {
			return nil, errConditional
		}
		return item, nil
	})
	if err != nil {
		return nil, err
	}
	return item, nil
}

// update answers a mutation that changes an item.
func (r *resolver) update(ctx context.Context, op *schema.Operation,
	args map[string]any) (any, error) {
	m := op.Model
	input, holds, err := inputOf(args)
	if err != nil {
		return nil, err
	}
	if err := checkJoined(m, input, "updating"); err != nil {
		return nil, err
	}
	var item items.Item
	key := keyFrom(m, input)
	err = r.items.Change(ctx, r.tables[m], key, func(old items.Item) (items.Item, error) {
		if err := r.cfg.Schema.AllowUpdate(r.caller.Identity, m, old, input); err != nil {
			return nil, err
		}
		if err := m.Check(op, input); err != nil {
			return nil, err
		}
		if old == nil || !holds(old) {
			return nil, errConditional
		}
		item = maps.Clone(old)
		if m.UpdatedAt != "" {
			item[m.UpdatedAt] = r.now()
		}
		for name, v := range input {
			switch {
			case v != nil:
				item[name] = v
			case name != m.UpdatedAt:
				delete(item, name)
			}
		}
		setJoined(m, item, input)
		return item, nil
	})
	if err != nil {
		return nil, err
	}
	return item, nil
}

// delete answers a mutation that deletes an item.
func (r *resolver) delete(ctx context.Context, m *schema.Model, args map[string]any) (any, error) {
	input, holds, err := inputOf(args)
	if err != nil {
		return nil, err
	}
	var item items.Item
	key := keyFrom(m, input)
	err = r.items.Change(ctx, r.tables[m], key, func(old items.Item) (items.Item, error) {
		if err := r.cfg.Schema.AllowDelete(r.caller.Identity, m, old); err != nil {
			return nil, err
		}
		if old == nil || !holds(old) {
			return nil, errConditional
		}
		item = old
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return item, nil
}

// checkJoined refuses an input that has some of the fields that an index joins, but not all.
func checkJoined(m *schema.Model, input map[string]any, doing string) error {
	for _, k := range m.Indexes {
		missing, some := "", false
		for _, name := range k.Sort {
			if _, present := input[name]; present {
				some = true
			} else if missing == "" {
				missing = name
			}
		}
		if len(k.Sort) > 1 && some && missing != "" {
			return graphql.NewError("", fmt.Sprintf("When %s any part of the composite sort key "+
				"for @index '%s', you must provide all fields for the key. Missing key: '%s'.",
				doing, k.Name, missing))
		}
	}
	return nil
}

// now returns the time as AppSync's $util.time.nowISO8601() does.
func (a *API) now() string { return a.cfg.Clock().UTC().Format("2006-01-02T15:04:05.000Z") }
