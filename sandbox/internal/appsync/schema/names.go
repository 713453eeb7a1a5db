package schema

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	pluralize "github.com/gertd/go-pluralize"
)

// upper returns s with its first letter in upper case, as Amplify begins the names of types.
func upper(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func lower(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// camel joins words as the names of fields are made.
func camel(words ...string) string {
	var b strings.Builder
	for _, w := range words {
		if b.Len() == 0 {
			b.WriteString(lower(w))
		} else {
			b.WriteString(upper(w))
		}
	}
	return b.String()
}

// subscriptionName is the default name of a subscription. AppSync takes at most 50 characters.
func subscriptionName(kind Kind, model string) string {
	name := camel(string(kind), model)
	if len(name) <= 50 {
		return name
	}
	sum := md5.Sum([]byte(name)) // as Amplify does; nothing rests on it
	return name[:45] + hex.EncodeToString(sum[:])[:5]
}

// plural has the rules of npm's pluralize, which Amplify uses.
func plural(name string) string { return pluralize.NewClient().Plural(name) }

// indexName is the default name of an index and of its query.
func indexName(model, partition string, sort []string) string {
	parts := []string{upper(partition)}
	for _, f := range sort {
		parts = append(parts, upper(f))
	}
	return lower(plural(model)) + "By" + strings.Join(parts, "And")
}

// Lists begin the model's name in upper case. Indexes and relations leave it as it is.
func connectionType(model string) string { return "Model" + model + "Connection" }
func filterType(model string) string     { return "Model" + model + "FilterInput" }
func conditionType(model string) string  { return "Model" + upper(model) + "ConditionInput" }
func subscriptionFilterType(model string) string {
	return "ModelSubscription" + upper(model) + "FilterInput"
}

// compositeType is the type of the condition on several sort fields, or of the values in it.
func compositeType(model string, k *Key, suffix string) string {
	name := "Primary"
	if k.Name != "" {
		name = upper(k.Name)
	}
	return "Model" + model + name + "CompositeKey" + suffix
}

// baseScalars maps the scalars to those that their filters and keys use.
var baseScalars = map[string]string{
	"String": "String", "Int": "Int", "Float": "Float", "Boolean": "Boolean", "ID": "ID",
	"AWSDate": "String", "AWSTime": "String", "AWSDateTime": "String", "AWSTimestamp": "Int",
	"AWSEmail": "String", "AWSJSON": "String", "AWSURL": "String", "AWSPhone": "String",
	"AWSIPAddress": "String",
}
