package schema

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Schema is what a backend serves.
type Schema struct {
	Models []*Model // in the order of the document, then the models that join many to many

	// API is the deployed schema: what clients see, with the types that the models bring. Documents
	// are validated against it.
	API *ast.Schema

	// Introspection is the "model_introspection" of amplify_outputs.json, by which clients know the
	// models. It is nil if the schema was read from one.
	Introspection json.RawMessage

	// Warnings tell what the sandbox leaves out or does not know.
	Warnings []string

	options    Options
	models     map[string]*Model
	operations map[ast.Operation]map[string]*Operation
	// fields are the rules on fields of types that are no models, by "Type.field".
	fields map[string][]*role
	// unruled are the custom operations that say nothing of IAM. No role of the identity pool has a
	// policy for them.
	unruled map[string]bool
}

// Model returns the model of that name, or nil.
func (s *Schema) Model(name string) *Model { return s.models[name] }

// Operation returns the field of Query, Mutation or Subscription of that name, or nil.
func (s *Schema) Operation(root ast.Operation, name string) *Operation {
	return s.operations[root][name]
}

// A Model is a type with a table of its own.
type Model struct {
	Name string
	// Fields are the declared ones, then those that the backend adds: id, timestamps, keys of
	// relations, owners.
	Fields []*Field
	Key    *Key
	// Indexes are the secondary indexes: those of @index, then those that relations make.
	Indexes []*Key
	Rules   []Rule

	// CreatedAt and UpdatedAt name the fields that hold the times; empty if there are none.
	CreatedAt, UpdatedAt string

	// Operations that the API has for the model.
	Operations []*Operation

	// Level says who may subscribe. Where it is LevelOn, the answers of mutations leave out what
	// some subscriber may not see.
	Level Level

	fields map[string]*Field
	roles  []*role
	def    *ast.Definition
	checks []check
	// settable are fields that every rule for writing allows: keys that relations add.
	settable map[string]bool
}

// Field returns the field of that name, or nil.
func (m *Model) Field(name string) *Field { return m.fields[name] }

// Keys returns the primary key and the indexes.
func (m *Model) Keys() []*Key { return append([]*Key{m.Key}, m.Indexes...) }

// Index returns the index of that name, or nil.
func (m *Model) Index(name string) *Key {
	for _, k := range m.Indexes {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Level says who may subscribe to a model.
type Level string

// The levels of subscriptions.
const (
	LevelOff    Level = "off"    // there are none
	LevelPublic Level = "public" // whoever may reach the API
	LevelOn     Level = "on"     // by the rules
)

// A Field is a field of a model.
type Field struct {
	Name     string
	Type     *ast.Type
	Rules    []Rule    // of the field itself; the rules of the model do not count if there are any
	Default  any       // of @default: it stands for an absent or null value on create
	Relation *Relation // of a field that leads to another model; such a field holds no value
	// Added is set if the backend adds the field: it is not in the annotated schema.
	Added bool
	// Owner is set if the field holds owners as "<sub>::<username>". Clients see the last part.
	Owner bool

	readers []*role // who may read it; only if guarded
	guarded bool    // some who may read the model may not read the field
	redact  bool    // the answers of mutations leave it out
	pos     *ast.Position
}

// A Key is the primary key of a model or one of its indexes.
type Key struct {
	Name string // of the index; empty for the primary key
	// Partition and Sort name the fields. Several sort fields are joined with "#" and sort as text.
	Partition string
	Sort      []string
	// Query names the query of an index; empty if it has none.
	Query string
	// Projected are the fields that the index holds; nil means all. See [Key.View].
	Projected []string
	// Implied is set for an index that a relation makes.
	Implied bool
}

// Fields returns the fields of the key in order.
func (k *Key) Fields() []string { return append([]string{k.Partition}, k.Sort...) }

// SortArgument names the argument of a query that takes the condition on the sort key; empty if
// the key has no sort fields.
func (k *Key) SortArgument() string {
	if len(k.Sort) == 1 {
		return k.Sort[0]
	}
	return camel(k.Sort...)
}

// View returns what the key has of an item.
func (k *Key) View(item map[string]any) map[string]any {
	if k.Projected == nil {
		return item
	}
	view := map[string]any{}
	for _, name := range k.Projected {
		if v, ok := item[name]; ok {
			view[name] = v
		}
	}
	return view
}

// RelationKind says how many related items there may be, and on which side their keys stand.
type RelationKind string

// The kinds of relations. A many-to-many relation is a HasMany to the model that joins.
const (
	HasOne    RelationKind = "hasOne"
	HasMany   RelationKind = "hasMany"
	BelongsTo RelationKind = "belongsTo"
)

// A Relation leads from an item to items of another model.
type Relation struct {
	Kind  RelationKind
	Model *Model // the related model
	// Fields are the fields of this model whose values find the related items. References are the
	// fields of the related model that hold the same values: those of Key, or its first ones.
	Fields, References []string
	// Key is the key of the related model that finds them.
	Key *Key
	// SortArgument names the argument of a HasMany that takes a condition on the sort key; empty if
	// it has none.
	SortArgument string
	// Limit is the number of items in a page of a HasMany whose caller names none.
	Limit int
}

// Kind says what an operation does.
type Kind string

// The kinds of operations.
const (
	Get      Kind = "get"
	List     Kind = "list"
	Index    Kind = "index" // a list by an index
	Create   Kind = "create"
	Update   Kind = "update"
	Delete   Kind = "delete"
	OnCreate Kind = "onCreate"
	OnUpdate Kind = "onUpdate"
	OnDelete Kind = "onDelete"
	Custom   Kind = "custom" // a query, mutation or subscription that the schema itself declares
)

// An Operation is a field of Query, Mutation or Subscription.
type Operation struct {
	Root  ast.Operation
	Name  string
	Kind  Kind
	Model *Model // nil for Custom
	Key   *Key   // of Get, List and Index

	Rules     []Rule   // of Custom
	Mutations []string // of subscriptions: the mutations that they follow
}
