// Package introspection reads the description of an API that Amplify's generators write into the
// outputs ("model_introspection"): models with their fields, keys, indexes, relations and rules,
// enums, custom types, and custom queries and mutations.
//
// What it returns has been checked: names are names of GraphQL, and what a type, a key or an index
// refers to is there. It may be shared, and must not be changed.
//
// The description lacks rules of fields, default values, rules of custom operations, and fields
// that only a rule mentions. [Model.OwnerFields] knows the last.
package introspection

import "slices"

// Schema is the description of an API. Lists are in the order of the description.
type Schema struct {
	Models []*Model
	// CustomTypes are the types of fields and results that are no models.
	CustomTypes []*Object
	// Inputs are the types of arguments.
	Inputs             []*Object
	Enums              []*Enum
	Queries, Mutations []*Operation
	Subscriptions      []*Operation

	models  map[string]*Model
	objects map[string]*Object // custom types and inputs
	enums   map[string]*Enum
}

// Model returns the model of that name, or nil.
func (s *Schema) Model(name string) *Model { return s.models[name] }

// Enum returns the enum of that name, or nil.
func (s *Schema) Enum(name string) *Enum { return s.enums[name] }

// Object returns the fields of a type whose values have fields, or nil for another one.
func (s *Schema) Object(t Type) *Object {
	switch t.Kind {
	case ModelType:
		if m := s.models[t.Name]; m != nil {
			return &m.Object
		}
	case CustomType, InputType:
		return s.objects[t.Name]
	}
	return nil
}

// Object is a type whose values have fields.
type Object struct {
	Name   string
	Fields []*Field
}

// Field returns the field of that name, or nil.
func (o *Object) Field(name string) *Field {
	for _, f := range o.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Field is a field of an [Object], or an argument of an [Operation].
type Field struct {
	Name string
	Type Type
	// ReadOnly says that the service sets the field.
	ReadOnly bool
	// Relation is nil unless the type is a model.
	Relation *Relation
}

// Type is the type of a field, an argument or a result.
type Type struct {
	Kind Kind
	Name string
	// Required says that the value is never null or, of a list, that its elements are not.
	Required bool
	List     bool
	// ListRequired says that the list itself is never null.
	ListRequired bool
}

// NonNull reports whether the value itself, be it a list or not, is never null.
func (t Type) NonNull() bool { return t.ListRequired || t.Required && !t.List }

// Kind says what the name of a type means.
type Kind int

// Kinds of types. The zero value is one that this package does not know, such as a union.
const (
	UnknownType Kind = iota
	ScalarType
	EnumType
	ModelType
	CustomType
	InputType
)

// String returns the type as GraphQL writes it, such as "[String!]".
func (t Type) String() string {
	s := t.Name
	if t.Required {
		s += "!"
	}
	if t.List {
		s = "[" + s + "]"
		if t.ListRequired {
			s += "!"
		}
	}
	return s
}

// Model is a type whose items are kept in a table.
type Model struct {
	Object
	// Key are the fields that identify an item: the partition key, and its sort keys.
	Key []string
	// CustomKey says that the key is not just "id".
	CustomKey bool
	Indexes   []*Index
	Rules     []Rule

	operations map[Action]string
}

// Action is what one does with items of a model.
type Action string

// Actions.
const (
	Get    Action = "get"
	List   Action = "list"
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

var actions = []Action{Get, List, Create, Update, Delete}

// Operation returns the name of the query or mutation for an action, such as "listNotes", or ""
// if the API has none.
func (m *Model) Operation(a Action) string { return m.operations[a] }

// Actions returns the actions that the API has.
func (m *Model) Actions() (all []Action) {
	for _, a := range actions {
		if m.operations[a] != "" {
			all = append(all, a)
		}
	}
	return all
}

// OwnerFields returns the fields in which rules look for the users and groups who may access an
// item. Those that the model does not declare are in the deployed type all the same, as texts.
func (m *Model) OwnerFields() (names []string) {
	for _, r := range m.Rules {
		name := ""
		switch r.Allow {
		case "owner":
			if name = r.OwnerField; name == "" {
				name = "owner"
			}
		case "groups":
			name = r.GroupsField
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// ImpliedFields returns the owner fields that the model does not declare.
func (m *Model) ImpliedFields() (fields []*Field) {
	text := Type{Kind: ScalarType, Name: "String"}
	for _, name := range m.OwnerFields() {
		if m.Field(name) == nil {
			fields = append(fields, &Field{Name: name, Type: text})
		}
	}
	return fields
}

// Index is a secondary index that has a query.
type Index struct {
	Name, Query string
	// Key are the partition key and the sort keys.
	Key []string
}

// Relation says how a field finds the items of another model.
type Relation struct {
	Kind RelationKind
	// With are the fields of the other model that hold the key of this one. Where those are fields
	// of a relation (many-to-many), it names that.
	With []string
	// Targets are the fields of this model that hold the key of the other.
	Targets []string
}

// RelationKind is the kind of a [Relation].
type RelationKind string

// Kinds of relations.
const (
	HasMany   RelationKind = "HAS_MANY"
	HasOne    RelationKind = "HAS_ONE"
	BelongsTo RelationKind = "BELONGS_TO"
)

// Rule allows some callers some operations.
type Rule struct {
	// Allow is "public", "private", "owner", "groups" or "custom".
	Allow string `json:"allow"`
	// Provider is "apiKey", "iam" or "identityPool", "userPools", "oidc" or "function".
	Provider string `json:"provider"`
	// Operations are "create", "update", "delete", "read", and the parts of "read": "get", "list",
	// "sync", "listen", "search".
	Operations    []string `json:"operations"`
	OwnerField    string   `json:"ownerField"`
	IdentityClaim string   `json:"identityClaim"`
	GroupClaim    string   `json:"groupClaim"`
	Groups        []string `json:"groups"`
	GroupsField   string   `json:"groupsField"`
}

// Allows reports whether the rule is about an action.
func (r Rule) Allows(a Action) bool {
	if slices.Contains(r.Operations, string(a)) {
		return true
	}
	return (a == Get || a == List) && slices.Contains(r.Operations, "read")
}

// Enum is a type with a few values.
type Enum struct {
	Name   string
	Values []string
}

// Operation is a custom query, mutation or subscription.
type Operation struct {
	Name      string
	Type      Type // of the result
	Arguments []*Field
}
