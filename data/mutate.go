package data

import (
	"context"
	"reflect"

	"github.com/amplify-go/amplify/internal/introspection"
)

// CreateInput is the input of [Model.Create].
type CreateInput struct {
	// Item is a struct or a map[string]any with fields of the model. A struct's zero values are
	// left out: a pointer to a zero value sends it. A map sends what it holds, also null and
	// fields that the description of the backend lacks: one that a client has filled may set any
	// field, such as the owner. The item of a belongs-to relation is sent as its key. Those of
	// has-many relations are left out.
	Item any
	// Condition is what the item with the same key must meet, if there is one.
	Condition Filter
	Options
}

// UpdateInput is the input of [Model.Update].
type UpdateInput struct {
	// Item has the key of the item, and the fields that change. It has the form of
	// CreateInput.Item. Fields that the service sets, such as "createdAt", are left out, and so is
	// the owner unless the model declares it.
	Item any
	// Condition is what the item must meet. If it does not, nothing changes, and the name of the
	// error is "DynamoDB:ConditionalCheckFailedException".
	Condition Filter
	Options
}

// DeleteInput is the input of [Model.Delete].
type DeleteInput struct {
	// Key identifies the item. [Model.KeyOf] returns the key of an item.
	Key Key
	// Condition is what the item must meet. See UpdateInput.
	Condition Filter
	Options
}

// Create writes a new item and returns it. The service gives it an "id" if it has none.
func (m Model[T]) Create(ctx context.Context, in CreateInput) (*T, error) {
	return mutate(ctx, m, introspection.Create, mutation{
		in.Condition, in.Options, func() (map[string]any, error) {
			return m.m.input(in.Item, introspection.Create)
		},
	})
}

// Update changes an item and returns it. Fields that the input leaves out keep their values.
func (m Model[T]) Update(ctx context.Context, in UpdateInput) (*T, error) {
	return mutate(ctx, m, introspection.Update, mutation{
		in.Condition, in.Options, func() (map[string]any, error) {
			input, err := m.m.input(in.Item, introspection.Update)
			for _, name := range m.m.of.Key {
				if err == nil {
					_, err = m.m.keyValue(m.m.of, name, input[name])
				}
			}
			return input, err
		},
	})
}

// Delete deletes an item and returns what it was.
func (m Model[T]) Delete(ctx context.Context, in DeleteInput) (*T, error) {
	return mutate(ctx, m, introspection.Delete, mutation{
		in.Condition, in.Options, func() (map[string]any, error) {
			return m.m.identifier(m.m.of, in.Key)
		},
	})
}

// mutation is what the mutations of an item have in common.
type mutation struct {
	condition Filter
	options   Options
	input     func() (map[string]any, error) // returns what is sent
}

// mutate sends a mutation of one item.
func mutate[T any](
	ctx context.Context, m Model[T], action introspection.Action, in mutation,
) (*T, error) {
	name, err := m.m.action(action)
	if err != nil {
		return nil, err
	}
	input, err := in.input()
	if err != nil {
		return nil, err
	}
	condition, err := m.m.filtering(m.m.of, m.m.of.Key...).sent(in.condition)
	if err != nil {
		return nil, err
	}
	variables, document := map[string]any{"input": input}, m.m.documents[name]
	if condition != nil {
		variables["condition"], document = condition, m.m.documents[name+conditional]
	}
	op := operation{document: document, variables: m.m.selection.with(variables), mutation: true}
	return one[T](ctx, m.m, name, op, in.options.over(m.options))
}

// input returns what is sent for an item.
func (m *model) input(item any, action introspection.Action) (map[string]any, error) {
	fields := selectable(m.schema, itemType(m.of.Name))
	all := map[string]any{}
	set := func(name string, value any) error {
		if before, ok := all[name]; ok && !reflect.DeepEqual(before, value) {
			return errInvalid(m.of.Name+"."+name,
				"the field and the related item have different values")
		}
		all[name] = value
		return nil
	}
	err := m.members(m.of.Name, reflect.ValueOf(item), func(member member) error {
		f := member.field(fields)
		switch {
		case f == nil && member.ofMap:
			// The backend may have fields that its description lacks.
			all[member.name] = member.value.Interface()
			return nil
		case f == nil:
			return hinted(errInvalid(m.of.Name+"."+member.name, "the model has no such field"),
				"A field of a struct that is not to be sent has the tag `json:\"-\"`.")
		case member.value.IsZero() && !member.ofMap:
			return nil
		case action == introspection.Update && (f.ReadOnly || m.of.Field(f.Name) == nil):
			return nil
		case f.Type.Kind == introspection.ModelType:
			return m.relate(f, member.value, set)
		}
		sent, err := m.reflected(m.of.Name+"."+f.Name, f.Type, member.value, 0)
		if err != nil {
			return err
		}
		return set(f.Name, sent)
	})
	return all, err
}

// relate sets the fields that hold the key of a related item.
func (m *model) relate(
	f *introspection.Field, item reflect.Value, set func(string, any) error,
) error {
	if f.Relation == nil {
		return nil
	}
	other := m.schema.Model(f.Type.Name)
	sources := other.Key
	switch f.Relation.Kind {
	case introspection.HasMany:
		return nil
	case introspection.HasOne: // of Gen 1, with a field that refers to the other item
		sources = f.Relation.With
	}
	targets := f.Relation.Targets[:min(len(f.Relation.Targets), len(sources))]
	sources = sources[:len(targets)]
	related := plainPointer(item)
	for i, target := range targets {
		var value any
		if related != nil {
			place := m.of.Name + "." + f.Name
			key, err := m.fieldsOf(place, sources, related)
			if err != nil {
				return err
			}
			source := other.Field(sources[i])
			if key[sources[i]] == nil || key[sources[i]] == "" || source == nil {
				return errInvalid(place, "the related item lacks %q, part of its key", sources[i])
			}
			value, err = m.value(place+"."+source.Name, source.Type, key[source.Name])
			if err != nil {
				return err
			}
		}
		if err := set(target, value); err != nil {
			return err
		}
	}
	return nil
}
