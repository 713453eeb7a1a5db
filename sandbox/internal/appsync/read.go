package appsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// defaultLimit is how many items a page reads if the caller names no limit.
const defaultLimit = 100

// errUnauthorized is the error of an item that is there, but not for the caller.
var errUnauthorized = &schema.Error{Type: "Unauthorized", Message: "Unauthorized"}

func invalidArguments(format string, args ...any) error {
	return graphql.NewError("InvalidArgumentsError", fmt.Sprintf(format, args...))
}

// get answers a query for one item.
func (r *resolver) get(ctx context.Context, op *schema.Operation,
	args map[string]any) (any, error) {
	grant, err := r.cfg.Schema.AllowRead(r.caller.Identity, op, args)
	if err != nil {
		return nil, err
	}
	item, err := r.items.Get(ctx, r.tables[op.Model], keyFrom(op.Model, args))
	if err != nil || item == nil {
		return nil, err
	}
	return item, r.mayRead(grant, item)
}

// mayRead returns [errUnauthorized] if the grant does not include the item.
func (r *resolver) mayRead(grant schema.Grant, item items.Item) error {
	matches, err := filter.Parse(grant.Filter)
	switch {
	case err != nil:
		return err
	case !matches(item):
		return errUnauthorized
	}
	return nil
}

// list answers a query for a page of items, of the table or of an index.
func (r *resolver) list(ctx context.Context, op *schema.Operation,
	args map[string]any) (any, error) {
	grant, err := r.cfg.Schema.AllowRead(r.caller.Identity, op, args)
	if err != nil {
		return nil, err
	}
	k := op.Key
	argument := k.SortArgument()
	partition, sorted := args[k.Partition], args["sortDirection"] != nil
	if owner, granted := grant.Key[k.Partition]; granted && partition == nil {
		partition = owner
	}
	switch {
	case sorted && len(k.Sort) == 0:
		return nil, invalidArguments(
			"sortDirection is not supported for List operations without a Sort key defined.")
	case sorted && partition == nil:
		return nil, invalidArguments("When providing argument 'sortDirection' you must also "+
			"provide argument '%s'.", k.Partition)
	case partition == nil && argument != "" && args[argument] != nil && len(k.Sort) > 1:
		return nil, invalidArguments("When providing argument '%s' you must also provide '%s'.",
			argument, k.Partition)
	case partition == nil && argument != "" && args[argument] != nil:
		return nil, invalidArguments("When providing argument '%s' you must also provide "+
			"arguments %s", argument, k.Partition)
	}
	q := items.Query{Table: r.tables[op.Model], Index: k.Name, Partition: partition}
	if argument != "" && partition != nil {
		if q.Sort, err = sortRange(argument, k.Sort, args[argument]); err != nil {
			return nil, err
		}
		value, granted := grant.Key[k.Sort[0]]
		if granted && len(k.Sort) == 1 && args[argument] == nil {
			q.Sort = items.Range{Low: value, High: value}
		}
	}
	return r.page(ctx, k, q, defaultLimit, args, grant)
}

// page answers with a page of a query. The arguments are those that all lists have.
func (r *resolver) page(ctx context.Context, k *schema.Key, q items.Query, limit int,
	args map[string]any, grant schema.Grant) (any, error) {
	q.Limit = limit
	if n, ok := args["limit"].(int64); ok {
		q.Limit = int(n)
	}
	q.Token, _ = args["nextToken"].(string)
	q.Descending = args["sortDirection"] == "DESC"
	matches, err := filter.ParseInput(args["filter"])
	if err != nil {
		return nil, err
	}
	allowed, err := filter.Parse(grant.Filter)
	if err != nil {
		return nil, err
	}
	q.Match = func(item items.Item) bool {
		item = k.View(item)
		return matches(item) && allowed(item)
	}
	found, err := r.items.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	for i, item := range found.Items {
		found.Items[i] = k.View(item)
	}
	return connection(found), nil
}

// connection returns a page as clients see it.
func connection(page items.Page) map[string]any {
	list := make([]any, len(page.Items))
	for i, item := range page.Items {
		list[i] = item
	}
	c := map[string]any{"items": list, "nextToken": nil}
	if page.Token != "" {
		c["nextToken"] = page.Token
	}
	return c
}

// sortRange returns the range of a condition on a sort key that has these fields.
func sortRange(argument string, fields []string, condition any) (r items.Range, err error) {
	var operators []string
	given, _ := condition.(map[string]any)
	for name, operand := range given {
		if operand != nil {
			operators = append(operators, name)
		}
	}
	switch len(operators) {
	case 0:
		return r, nil
	case 1:
	default:
		return r, &items.InvalidError{
			Message: "KeyConditionExpressions must only contain one condition per key"}
	}
	operator := operators[0]
	values, isList := given[operator].([]any)
	if !isList {
		values = []any{given[operator]}
	}
	if operator == "between" && len(values) != 2 {
		return r, invalidArguments("Argument '%s.between' expects exactly two elements.", argument)
	}
	values = slices.Clone(values)
	for i, v := range values {
		if values[i], err = sortValue(argument, fields, v); err != nil {
			return r, err
		}
	}
	v := values[0]
	switch operator {
	case "eq":
		return items.Range{Low: v, High: v}, nil
	case "lt":
		return items.Range{High: v, HighOpen: true}, nil
	case "le":
		return items.Range{High: v}, nil
	case "gt":
		return items.Range{Low: v, LowOpen: true}, nil
	case "ge":
		return items.Range{Low: v}, nil
	case "between":
		if order, ok := filter.Compare(v, values[1]); ok && order > 0 {
			return r, &filter.BetweenError{Low: v, High: values[1]}
		}
		return items.Range{Low: v, High: values[1]}, nil
	case "beginsWith":
		return items.Prefix(fmt.Sprint(v)), nil
	}
	return r, fmt.Errorf("appsync: there is no operator %q of a sort key", operator)
}

// sortValue returns the value of a sort key: that of its one field, or of several, joined.
func sortValue(argument string, fields []string, v any) (any, error) {
	if len(fields) == 1 {
		return v, nil
	}
	values, _ := v.(map[string]any)
	given := map[string]any{}
	for i, name := range fields {
		if values[name] == nil {
			continue
		}
		if given[name] = values[name]; i > 0 && values[fields[i-1]] == nil {
			return nil, invalidArguments("When providing argument '%[1]s.$operation.%[2]s' you "+
				"must also provide '%[1]s.$operation.%[3]s'.", argument, name, fields[i-1])
		}
	}
	return joined(fields, given), nil
}

// field answers a field of an item.
func (r *resolver) field(ctx context.Context, field *schema.Field, f *graphql.Field,
	item items.Item) (any, error) {
	if field == nil {
		return nil, fmt.Errorf("appsync: there is no field %s.%s", f.Object.Name, f.Definition.Name)
	}
	if field.Relation != nil {
		return r.relation(ctx, field, f, item)
	}
	if err := r.cfg.Schema.AllowReadField(r.caller.Identity, field, item); err != nil {
		return nil, err
	}
	switch {
	case f.Mutation && field.Redacted():
		return nil, nil
	case field.Owner:
		return schema.ShownOwner(item[field.Name]), nil
	}
	return item[field.Name], nil
}

// relation answers a field that leads to other items.
func (r *resolver) relation(ctx context.Context, field *schema.Field, f *graphql.Field,
	item items.Item) (any, error) {
	to := field.Relation
	many := to.Kind == schema.HasMany
	var none any
	if many {
		none = connection(items.Page{})
	}
	grant, err := r.cfg.Schema.AllowRelation(r.caller.Identity, field, item)
	if err != nil {
		return nil, err
	}
	if f.Mutation && field.Redacted() {
		return none, nil
	}
	values := map[string]any{}
	for i, name := range to.Fields {
		v := item[name]
		if v == nil {
			return none, nil
		}
		values[to.References[i]] = v
	}
	table := r.tables[to.Model]
	if !many && to.Key == to.Model.Key && hasAll(values, to.Key.Fields()) {
		found, err := r.items.Get(ctx, table, keyFrom(to.Model, values))
		if err != nil || found == nil {
			return nil, err
		}
		return found, r.mayRead(grant, found)
	}
	q := items.Query{Table: table, Index: to.Key.Name, Partition: values[to.Key.Partition]}
	switch sort := sortAttribute(to.Key); {
	case len(to.References) > 1 && isNumber(to.Model, sort):
		// Amplify's resolver gives the number as a text.
		return nil, &items.InvalidError{Message: "One or more parameter values were invalid: " +
			"Condition parameter type does not match schema type"}
	case len(to.References) > 1 && hasAll(values, to.Key.Sort):
		value := any(joined(to.Key.Sort, values))
		q.Sort = items.Range{Low: value, High: value}
	case len(to.References) > 1:
		q.Sort = items.Prefix(joined(to.Key.Sort, values) + separator)
	case to.SortArgument != "" && len(to.Key.Sort) > 0:
		q.Sort, err = sortRange(to.SortArgument, to.Key.Sort, f.Arguments[to.SortArgument])
		if err != nil {
			return nil, err
		}
	}
	if many {
		return r.page(ctx, to.Key, q, to.Limit, f.Arguments, grant)
	}
	q.Limit = 1
	found, err := r.items.Query(ctx, q)
	if err != nil || len(found.Items) == 0 {
		return nil, err
	}
	return found.Items[0], r.mayRead(grant, found.Items[0])
}
