package appsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// execute answers a request of a caller. The error is a refusal, or that of the server.
func (a *API) execute(ctx context.Context, caller *Caller, q graphql.Request) (
	*graphql.Response, error) {
	operation, response, err := graphql.Prepare(a.cfg.Schema.API, q)
	switch {
	case errors.Is(err, graphql.ErrSyntax):
		return nil, malformed("Unable to parse GraphQL query.")
	case err != nil || response != nil:
		return response, err
	case operation.Kind() == ast.Subscription:
		return operation.Refuse(graphql.NewError("UnsupportedOperation",
			"Subscriptions go over the realtime endpoint.")), nil
	}
	if operation.Kind() == ast.Mutation {
		// What has begun is finished, and told to subscribers, even if the caller goes.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), maxDuration)
		defer cancel()
	}
	response, err = operation.Execute(ctx, &resolver{a, caller})
	if err == nil && operation.Kind() == ast.Mutation {
		a.publish(ctx, operation.Values(response))
	}
	return response, err
}

// resolver answers the fields of one request.
type resolver struct {
	*API
	caller *Caller
}

// Resolve returns the value of a field.
func (r *resolver) Resolve(ctx context.Context, f *graphql.Field) (any, error) {
	value, err := r.resolve(ctx, f)
	return value, asError(err)
}

func (r *resolver) resolve(ctx context.Context, f *graphql.Field) (any, error) {
	sch, name := r.cfg.Schema, f.Definition.Name
	if err := sch.AllowField(r.caller.Identity, f.Object, f.Definition); err != nil {
		return nil, err
	}
	switch f.Object {
	case sch.API.Query:
		return r.operate(ctx, sch.Operation(ast.Query, name), f)
	case sch.API.Mutation:
		return r.operate(ctx, sch.Operation(ast.Mutation, name), f)
	}
	parent, ok := f.Parent.(map[string]any)
	if !ok {
		return nil, graphql.NewError("", fmt.Sprintf("The value of the type %s is not an object.",
			f.Object.Name))
	}
	if m := sch.Model(f.Object.Name); m != nil {
		return r.field(ctx, m.Field(name), f, parent)
	}
	return parent[name], sch.AllowCustom(r.caller.Identity, f.Object.Name, name)
}

// operate answers a field of Query or Mutation.
func (r *resolver) operate(ctx context.Context, op *schema.Operation,
	f *graphql.Field) (any, error) {
	if op == nil {
		return nil, fmt.Errorf("appsync: there is no operation %s", f.Definition.Name)
	}
	switch op.Kind {
	case schema.Get:
		return r.get(ctx, op, f.Arguments)
	case schema.List, schema.Index:
		return r.list(ctx, op, f.Arguments)
	case schema.Create:
		return r.create(ctx, op, f.Arguments)
	case schema.Update:
		return r.update(ctx, op, f.Arguments)
	case schema.Delete:
		return r.delete(ctx, op.Model, f.Arguments)
	default:
		return r.custom(ctx, op, f)
	}
}

// custom answers a custom operation.
func (r *resolver) custom(ctx context.Context, op *schema.Operation,
	f *graphql.Field) (any, error) {
	event := function.Event{TypeName: f.Object.Name, FieldName: op.Name, Arguments: f.Arguments,
		Identity: r.caller.Known}
	if err := r.cfg.Schema.AllowCustom(r.caller.Identity, event.TypeName, op.Name); err != nil {
		return nil, err
	}
	name := event.TypeName + "." + op.Name
	handler := r.cfg.Functions[name]
	if handler == nil {
		return nil, graphql.NewError("Sandbox:NoFunction",
			"The sandbox has no function for "+name+": register one.")
	}
	text, err := call(ctx, r.cfg.Logger, name, r.running[name], func() ([]byte, error) {
		answer, err := handler(ctx, event)
		if err != nil {
			return nil, err
		}
		return json.Marshal(answer)
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, graphql.NewError("Lambda:Unhandled", err.Error())
	}
	return scalars.ParseJSON(string(text))
}

// asError returns the error of a field in the words of AppSync, or err if that is the server's.
func asError(err error) error {
	var (
		refused *schema.Error
		invalid *items.InvalidError
		between *filter.BetweenError
	)
	switch {
	case errors.As(err, &refused):
		return graphql.NewError(refused.Type, refused.Message)
	case errors.As(err, &invalid):
		return graphql.NewError("DynamoDB:DynamoDbException", invalid.Message)
	case errors.As(err, &between):
		return graphql.NewError("DynamoDB:DynamoDbException", fmt.Sprintf(
			"Invalid FilterExpression: The BETWEEN operator requires upper bound to be greater "+
				"than or equal to lower bound; lower bound operand: AttributeValue: %s, upper "+
				"bound "+
				"operand: AttributeValue: %s", operand(between.Low), operand(between.High)))
	case errors.Is(err, items.ErrToken):
		return graphql.NewError("DynamoDB:UserIllegalArgumentException",
			"com.amazonaws.deepdish.common.pagination.InvalidPaginationTokenException: "+
				"Invalid pagination token given.")
	case errors.Is(err, filter.ErrTooLarge):
		return graphql.NewError("DynamoDB:DynamoDbException", "Invalid FilterExpression: "+
			"Expression size has exceeded the maximum allowed size")
	case errors.Is(err, filter.ErrUnrecognized):
		return graphql.NewError("Unrecognized Filter", "Unable to process the filter expression")
	}
	return err
}

// operand returns a number or a text as DynamoDB prints it in errors.
func operand(v any) string {
	if text, ok := v.(string); ok {
		return "{S:" + text + "}"
	}
	return fmt.Sprintf("{N:%v}", v)
}
