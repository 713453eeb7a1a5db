package appsync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// MaxPayload is how large a message to a subscriber may be (AWS General Reference, "AWS AppSync
// endpoints and quotas": subscription payload size).
const MaxPayload = 240 << 10

// connectOperation is the operation that an authorizer is told of for a connection of the realtime
// endpoint.
const connectOperation = "deepdish:connect"

// Refusal tells what AppSync says of an error of [API.Connect] or [API.Subscribe]. It is false for
// an error of the server.
func Refusal(err error) (status int, errorType, message string, ok bool) {
	var refused *refusal
	if !errors.As(err, &refused) {
		return 0, "", "", false
	}
	return refused.status, refused.errorType, refused.message, true
}

// Connect checks who opens a connection of the realtime endpoint. r is the request that stands for
// it, and body is its body.
func (a *API) Connect(ctx context.Context, r *http.Request, body string) error {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	_, err := a.authenticate(ctx, r, []byte(body), graphql.Request{OperationName: connectOperation})
	return err
}

// Subscribe lets the caller of a request subscribe, or returns the response that says why not. The
// error is a refusal, or that of the server.
func (a *API) Subscribe(ctx context.Context, r *http.Request, body string) (
	*Subscription, *graphql.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	q, badBody := parseRequest([]byte(body))
	caller, err := a.authenticate(ctx, r, []byte(body), q)
	if err != nil {
		return nil, nil, err
	}
	if badBody != nil {
		return nil, nil, badBody
	}
	return a.subscribe(ctx, caller, q)
}

// Subscription is what a caller subscribed to.
type Subscription struct {
	// Operation is the field of Subscription, and Arguments are what the caller gave it.
	Operation *schema.Operation
	Arguments map[string]any
	// Filter selects what is delivered. If it is nil, arguments filter by equality.
	Filter map[string]any

	api      *API
	caller   *Caller
	document *graphql.Operation
	matches  filter.Filter
}

func (a *API) subscribe(ctx context.Context, caller *Caller, q graphql.Request) (
	*Subscription, *graphql.Response, error) {
	operation, response, err := graphql.Prepare(a.cfg.Schema.API, q)
	switch {
	case errors.Is(err, graphql.ErrSyntax):
		return nil, nil, malformed("Unable to parse GraphQL query.")
	case err != nil || response != nil:
		return nil, response, err
	case operation.Kind() != ast.Subscription:
		return nil, nil, &refusal{http.StatusBadRequest, "UnsupportedOperation",
			string(operation.Kind()) + " not supported through the realtime channel"}
	case operation.Root() == nil: // @skip
		return nil, nil, malformed("The subscription selects nothing.")
	}
	s, err := a.allow(ctx, caller, operation)
	var limit *filter.LimitError
	if errors.As(err, &limit) {
		return nil, nil, &refusal{http.StatusBadRequest, "", limit.Message}
	}
	var refused *graphql.Error
	if errors.As(asError(err), &refused) {
		return nil, operation.Refuse(refused), nil
	}
	return s, nil, err
}

// allow asks the rules whether a caller may subscribe, and to what.
func (a *API) allow(ctx context.Context, caller *Caller, operation *graphql.Operation) (
	*Subscription, error) {
	id, sch, f := caller.Identity, a.cfg.Schema, operation.Root()
	if err := sch.AllowField(id, f.Object, f.Definition); err != nil {
		return nil, err
	}
	s := &Subscription{Operation: sch.Operation(ast.Subscription, f.Definition.Name),
		Arguments: f.Arguments, api: a, caller: caller, document: operation}
	switch {
	case s.Operation == nil:
		return nil, fmt.Errorf("appsync: there is no subscription %s", f.Definition.Name)
	case s.Operation.Model != nil:
		var err error
		if s.Filter, err = sch.AllowSubscribe(id, s.Operation.Model, f.Arguments); err != nil {
			return nil, err
		}
		s.matches, err = filter.ParseSubscription(s.Filter)
		return s, err
	case a.cfg.Functions[f.Object.Name+"."+f.Definition.Name] != nil:
		_, err := (&resolver{a, caller}).custom(ctx, s.Operation, f)
		return s, err
	}
	return s, sch.AllowCustom(id, f.Object.Name, f.Definition.Name)
}

// takes reports whether the subscriber gets what a mutation selected.
func (s *Subscription) takes(value any) bool {
	item, isObject := value.(map[string]any)
	if s.Filter != nil {
		return isObject && s.matches(item)
	}
	for name, want := range s.Arguments {
		if s.Operation.Model != nil && name == "filter" {
			continue // an empty one
		}
		// A null that was given is a value, too: the field must be null.
		if got, selected := item[name]; !selected || !filter.Equal(got, want) {
			return false
		}
	}
	return true
}

// payload returns what the subscriber gets of what a mutation selected.
func (s *Subscription) payload(ctx context.Context, value any) ([]byte, error) {
	response, err := s.document.Execute(ctx, &delivery{s, value})
	if err != nil {
		return nil, err
	}
	return response.MarshalJSON()
}

// delivery answers the fields of a subscription by what a mutation selected. No resolver of an item
// is asked again: the answer of the mutation left out what some subscriber may not see.
type delivery struct {
	*Subscription
	value any
}

// Resolve returns the value of a field.
func (d *delivery) Resolve(_ context.Context, f *graphql.Field) (any, error) {
	if f.Object == d.api.cfg.Schema.API.Subscription {
		return d.value, nil
	}
	if err := d.api.cfg.Schema.AllowField(d.caller.Identity, f.Object, f.Definition); err != nil {
		return nil, asError(err)
	}
	parent, _ := f.Parent.(map[string]any)
	value := parent[f.Definition.Name]
	if f.Definition.Type.Name() == "AWSJSON" {
		return parsedJSON(value), nil
	}
	return value, nil
}

// parsedJSON returns the value of an AWSJSON that was written as text, or the values of a list.
func parsedJSON(value any) any {
	switch v := value.(type) {
	case string:
		if parsed, err := scalars.ParseJSON(v); err == nil {
			return parsed
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = parsedJSON(v[i])
		}
		return list
	}
	return value
}

// subscribers are those who get what mutations publish. The zero value has none.
type subscribers struct {
	mu sync.RWMutex
	// by has them by the name of the mutation.
	by map[string]map[*subscriber]bool
}

type subscriber struct {
	*Subscription
	deliver func(payload []byte)
}

// Receive lets deliver have what mutations publish from now on. It calls begun once before
// that. deliver is called in the mutation's goroutine, and must not wait. The function that Receive
// returns ends the subscription; a payload on its way may still come.
func (s *Subscription) Receive(begun func(), deliver func(payload []byte)) (end func()) {
	all, one := &s.api.subscribers, &subscriber{s, deliver}
	all.mu.Lock()
	defer all.mu.Unlock()
	begun()
	if all.by == nil {
		all.by = map[string]map[*subscriber]bool{}
	}
	for _, mutation := range s.Operation.Mutations {
		if all.by[mutation] == nil {
			all.by[mutation] = map[*subscriber]bool{}
		}
		all.by[mutation][one] = true
	}
	return func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		for _, mutation := range s.Operation.Mutations {
			delete(all.by[mutation], one)
		}
	}
}

// to returns the subscribers of a mutation.
func (s *subscribers) to(mutation string) []*subscriber {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*subscriber
	for one := range s.by[mutation] {
		list = append(list, one)
	}
	return list
}

// publish delivers what mutations selected to their subscribers. A mutation that gave null, such as
// one that was refused, publishes nothing.
func (a *API) publish(ctx context.Context, values []graphql.Value) {
	// The mutation is done, and its time may be over.
	ctx = context.WithoutCancel(ctx)
	for _, v := range values {
		if v.Value == nil {
			continue
		}
		for _, one := range a.subscribers.to(v.Name) {
			if !one.takes(v.Value) {
				continue
			}
			payload, err := one.payload(ctx, v.Value)
			switch {
			case err != nil:
				a.cfg.Logger.ErrorContext(ctx, "sandbox: AppSync failed to deliver",
					"subscription", one.Operation.Name, "error", err)
			case len(payload) > MaxPayload:
				a.cfg.Logger.WarnContext(ctx, "sandbox: a message to a subscriber is larger than "+
					"AppSync delivers", "subscription", one.Operation.Name, "bytes", len(payload))
			default:
				one.deliver(payload)
			}
		}
	}
}
