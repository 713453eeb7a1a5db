package data_test

import (
	"reflect"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

// results are the recorded results of a case, to be changed.
func results(c conformance.Case) []map[string]any {
	list, _ := c.Want("results").([]any)
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i] = v.(map[string]any)
	}
	return out
}

// failing returns c with an error of ours as the result of its last step.
func failing(c conformance.Case, name, message string) conformance.Case {
	all := results(c)
	last := all[len(all)-1]
	all[len(all)-1] = map[string]any{"error": map[string]any{"name": name, "message": message}}
	if n := last["requestCount"]; n != nil {
		all[len(all)-1]["requestCount"] = n
	}
	return c.Expect(all, "results")
}

// refused returns c with an error of ours that comes before any request.
func refused(c conformance.Case, name, message string) conformance.Case {
	error := map[string]any{"error": map[string]any{"name": name, "message": message}}
	return c.Expect([]any{}, "requests").Expect([]any{error}, "results")
}

// refusedOptions is what options with a fault yield.
func refusedOptions(c conformance.Case) conformance.Case {
	return refused(c, "InvalidParameterException", "The settings cannot be used.")
}

// lastError is the recorded error of the last step, wherever it stands.
func lastError(c conformance.Case) (name, message string) {
	all := results(c)
	if len(all) == 0 {
		return "", ""
	}
	e, _ := all[len(all)-1]["error"].(map[string]any)
	for _, member := range []string{"value", "rejected"} {
		value, _ := all[len(all)-1][member].(map[string]any)
		if entries, _ := value["errors"].([]any); len(entries) > 0 {
			e, _ = entries[0].(map[string]any)["originalError"].(map[string]any)
		}
	}
	name, _ = e["name"].(string)
	message, _ = e["message"].(string)
	return name, message
}

// hasError reports whether the last step has failed with a message that begins with prefix.
func hasError(prefix string) func(conformance.Case) bool {
	return func(c conformance.Case) bool {
		_, message := lastError(c)
		return strings.HasPrefix(message, prefix)
	}
}

// reply returns the last canned reply.
func reply(c conformance.Case) map[string]any {
	replies, _ := c.In("responses").([]any)
	if len(replies) == 0 {
		return nil
	}
	return replies[len(replies)-1].(map[string]any)
}

// firstError returns the first error in the body of the last canned reply.
func firstError(c conformance.Case) map[string]any {
	body, _ := reply(c)["body"].(map[string]any)
	entries, _ := body["errors"].([]any)
	if len(entries) == 0 {
		return nil
	}
	first, _ := entries[0].(map[string]any)
	return first
}

// clientOption returns an option of the client.
func clientOption(c conformance.Case, name string) any { return c.In("client", "options", name) }

// sibling returns one of all cases with the steps of c, one request and no error.
func sibling(all []conformance.Case, c conformance.Case) conformance.Case {
	for _, other := range all {
		requests, _ := other.Want("requests").([]any)
		if reflect.DeepEqual(c.In("steps"), other.In("steps")) &&
			reflect.DeepEqual(c.In("responses"), other.In("responses")) && c.In("schema") == other.In("schema") && len(requests) == 1 {
			if name, _ := lastError(other); name == "" {
				return other
			}
		}
	}
	panic("no other case has these steps")
}

// dataRules are the cases of data.json, which are all, in which we differ from the original.
func dataRules(all []conformance.Case) []conformance.Rule {
	return []conformance.Rule{
		{
			Name:   "calls without a context",
			Reason: "the context of a request is the first argument in Go. One without a server context has an error of its own",
			Match: func(c conformance.Case) bool {
				return c.In("omitContext") == true
			},
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "NoAmplifyContextError", "The context carries no Amplify server context.")
			},
		},
		{
			Name:    "endpoints without what they need",
			Reason:  "there is no generateClient: options with faults fail like all settings",
			Match:   hasError("generateClient() requires"),
			Instead: refusedOptions,
		},
		{
			Name:   "unknown auth modes",
			Reason: "the original sends nothing that tells who is calling",
			Match: func(c conformance.Case) bool {
				known := []string{"apiKey", "userPool", "identityPool", "iam", "oidc", "lambda", "none"}
				mode, ok := clientOption(c, "authMode").(string)
				return ok && !slices.Contains(known, mode)
			},
			Instead: refusedOptions,
		},
		{
			Name:   "a token beside signatures",
			Reason: "the original sends the token in place of a signature, although the mode asks for one",
			Match: func(c conformance.Case) bool {
				mode := clientOption(c, "authMode")
				return (mode == "iam" || mode == "identityPool") && clientOption(c, "authToken") != nil
			},
			Instead: refusedOptions,
		},
		{
			Name:   "the case of a header's name",
			Reason: "it does not count in HTTP. The original does not see \"authorization\"",
			Match: func(c conformance.Case) bool {
				return clientOption(c, "authMode") == "lambda" && c.In("client", "options", "headers", "authorization") != nil
			},
			Instead: func(c conformance.Case) conformance.Case {
				requests := sibling(all, c).Want("requests").([]any)
				headers := requests[0].(map[string]any)["headers"].(map[string]any)
				delete(headers, "x-api-key")
				headers["authorization"] = c.In("client", "options", "headers", "authorization")
				return c.Expect(requests, "requests").Expect(sibling(all, c).Want("results"), "results")
			},
		},
		{
			Name:   "documents without an operation",
			Reason: "the words are ours. An empty document has a syntax error in graphql-js, and none in gqlparser",
			Match: func(c conformance.Case) bool {
				return hasError("invalid operation type")(c) || hasError("Syntax Error: Unexpected <EOF>")(c)
			},
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "GraphQLError", "The document has no operation.")
			},
		},
		{
			Name:   "variables given as null",
			Reason: "a nil map is no variables",
			Match: func(c conformance.Case) bool {
				requests, _ := c.Want("requests").([]any)
				return slices.ContainsFunc(requests, func(r any) bool {
					body, _ := r.(map[string]any)["body"].(map[string]any)
					return body["variables"] == nil
				})
			},
			Instead: func(c conformance.Case) conformance.Case {
				requests := c.Want("requests").([]any)
				for _, r := range requests {
					body := r.(map[string]any)["body"].(map[string]any)
					if body["variables"] == nil {
						body["variables"] = map[string]any{}
					}
				}
				return c.Expect(requests, "requests")
			},
		},
		{
			Name:   "extensions of answers",
			Reason: "AppSync sends none: they are not handed on",
			Match: func(c conformance.Case) bool {
				body, _ := reply(c)["body"].(map[string]any)
				return body["extensions"] != nil && strings.Contains(string(c.Expected), `"extensions"`)
			},
			Instead: func(c conformance.Case) conformance.Case {
				all := results(c)
				for _, r := range all {
					for _, member := range []string{"value", "rejected"} {
						if value, ok := r[member].(map[string]any); ok {
							delete(value, "extensions")
						}
					}
				}
				return c.Expect(all, "results")
			},
		},
		{
			Name:   "what AppSync says",
			Reason: "the original reads the errors of an answer only if the status is 200",
			Match: func(c conformance.Case) bool {
				status, _ := reply(c)["status"].(float64)
				_, message := lastError(c)
				return status >= 300 && firstError(c) != nil && message == "Unknown error"
			},
			Instead: func(c conformance.Case) conformance.Case {
				name, _ := lastError(c)
				message, _ := firstError(c)["message"].(string)
				return once(failing(c, name, message))
			},
		},
		{
			Name:   "refused requests",
			Reason: "the original sends a request with status 400 again, as if the clock were to blame",
			Match: func(c conformance.Case) bool {
				return reply(c)["status"] == 400.0 && results(c)[0]["requestCount"] == 3.0
			},
			Instead: once,
		},
		{
			Name:   "answers that are no objects",
			Reason: "the original takes them for one without data",
			Match: func(c conformance.Case) bool {
				_, list := reply(c)["body"].([]any)
				return list
			},
			Instead: func(c conformance.Case) conformance.Case {
				return failing(c, "UnknownError", "The answer is not a JSON object.")
			},
		},
		{
			Name:   "answers without data",
			Reason: "the original takes them for an item or a list that is not there. A GraphQL API sends data or errors",
			Match: func(c conformance.Case) bool {
				body, ok := reply(c)["body"].(map[string]any)
				name, _ := lastError(c)
				return ok && body["data"] == nil && firstError(c) == nil && reply(c)["status"] == nil && name == ""
			},
			Instead: func(c conformance.Case) conformance.Case {
				return failing(c, "UnknownError", "The answer has neither data nor errors.")
			},
		},
		{
			Name:   "no endpoint",
			Reason: "there is no Amplify.configure() in Go",
			Match:  hasError("No GraphQL endpoint configured in"),
			Instead: func(c conformance.Case) conformance.Case {
				return failing(c, "NoEndpoint", "No GraphQL endpoint configured.")
			},
		},
	}
}

// once returns c with requests that are sent once, where the status of the reply is 400.
func once(c conformance.Case) conformance.Case {
	if reply(c)["status"] != 400.0 {
		return c
	}
	requests, _ := c.Want("requests").([]any)
	for _, r := range requests {
		r.(map[string]any)["attempts"] = 1
	}
	all := results(c)
	for _, r := range all {
		r["requestCount"] = len(requests)
	}
	return c.Expect(requests, "requests").Expect(all, "results")
}
