package schema

import "github.com/vektah/gqlparser/v2/ast"

// A Schema is what a backend serves.
type Schema struct {
	Models []*Model // in the order of the document, then the models that join many to many
	Enums  []*Enum
	Types  []*CustomType // object types that are no models

	// API is the deployed schema: what clients see, with the types that the models bring. Documents
	// are validated against it.
	API *ast.Schema

	// Warnings tell what of the schema is not served as AWS would.
	Warnings []string

	models     map[string]*Model
	operations map[ast.Operation]map[string]*Operation
}

// Model returns the model of that name, or nil.
func (s *Schema) Model(name string) *Model { return s.models[name] }

// Operation returns the field of Query, Mutation or Subscription of that name, or nil.
func (s *Schema) Operation(root ast.Operation, name string) *Operation {
	return s.operations[root][name]
}

// A Model is a type with a table of its own.
type Model struct {
	Name   string
	Fields []*Field // declared ones, then those that the backend adds: id, timestamps, owners, keys of relations
	Key    *Key
	// Indexes are the secondary indexes in the order of their fields.
	Indexes []*Key
	Rules   []Rule

	// CreatedAt and UpdatedAt name the fields that hold the times; empty if there are none.
	CreatedAt, UpdatedAt string

	// Operations that the API has for the model.
	Operations []*Operation

	// Subscriptions reports whether the model has subscriptions that its rules restrict. The answers
	// of its mutations then leave out what a subscriber may not see.
	Subscriptions bool

	fields map[string]*Field
}

// Field returns the field of that name, or nil.
func (m *Model) Field(name string) *Field { return m.fields[name] }

// A Field is a field of a model or of a custom type.
type Field struct {
	Name     string
	Type     *ast.Type
	Rules    []Rule    // of the field itself; the rules of the model do not count if there are any
	Default  *string   // the text of @default, which stands for an absent or null value on create
	Relation *Relation // of a field that leads to another model; such a field holds no value
	// Added is set if the backend adds the field: it is not in the annotated schema.
	Added bool
}

// A Key is the primary key of a model or one of its indexes.
type Key struct {
	Name string // of the index; empty for the primary key
	// Partition and Sort name the fields. Several sort fields are joined with "#" and sort as text.
	Partition string
	Sort      []string
	// Query names the query of an index; empty if it has none.
	Query string
	// Implied is set for an index that a relation made.
	Implied bool
}

// Fields returns the fields of the key in order.
func (k *Key) Fields() []string { return append([]string{k.Partition}, k.Sort...) }

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
	// Fields are the fields of this model whose values find the related items, References the fields
	// of the related model that hold the same values: those of Key, or its first ones.
	Fields, References []string
	// Key is the key of the related model that finds them.
	Key *Key
	// Limit is the number of items in a page of a HasMany whose caller names none.
	Limit int
}

// An Enum is an enumeration.
type Enum struct {
	Name   string
	Values []string
}

// A CustomType is an object type without a table.
type CustomType struct {
	Name   string
	Fields []*Field
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
	Functions []string // of Custom: the names in @function, in order; none if AppSync JavaScript answers
	Mutations []string // of subscriptions: the mutations in @aws_subscribe
}

// Strategy says whom a rule lets in.
type Strategy string

// The strategies of rules.
const (
	Public  Strategy = "public"
	Private Strategy = "private"
	Owner   Strategy = "owner"
	Groups  Strategy = "groups"
	Lambda  Strategy = "custom"
)

// Provider says how a caller of a rule has shown who they are.
type Provider string

// The providers of rules.
const (
	APIKey   Provider = "apiKey"
	UserPool Provider = "userPools"
	IAM      Provider = "iam" // also written identityPool
	OIDC     Provider = "oidc"
	Function Provider = "function"
)

// Access is one thing that rules allow.
type Access string

// What rules allow. A rule's "read" is AllowGet, AllowList, AllowListen and two more that AppSync
// serves no operation for here.
const (
	AllowCreate Access = "create"
	AllowUpdate Access = "update"
	AllowDelete Access = "delete"
	AllowGet    Access = "get"
	AllowList   Access = "list"
	AllowListen Access = "listen"
)

// A Rule is one rule of @auth. Rules of one @auth are OR-ed.
type Rule struct {
	Allow      Strategy
	Provider   Provider
	Operations []Access

	OwnerField    string // of Owner
	IdentityClaim string // of Owner: the claim that holds the owner, by default "sub::username"

	Groups      []string // of static Groups
	GroupsField string   // of dynamic Groups
	GroupClaim  string   // of Groups, by default "cognito:groups"
}
