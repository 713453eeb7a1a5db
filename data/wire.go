package data

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/amplify-go/amplify/internal/introspection"
)

// maxNesting bounds how deep values may be nested, and how far pointers are followed. A map that
// holds itself has no end.
const maxNesting = 50

// wire turns Go values into what is sent for them.
type wire struct {
	schema *introspection.Schema
	types  *sync.Map // []goField by reflect.Type, of the structs that have been sent
}

// goFields is [goFields] with a memory.
func (w wire) goFields(t reflect.Type) []goField {
	if known, ok := w.types.Load(t); ok {
		return known.([]goField)
	}
	fields := goFields(t)
	w.types.Store(t, fields)
	return fields
}

// value returns what is sent for v, which stands at place and must fit the type. Null is sent as it
// is: the description does not tell where it is allowed.
func (w wire) value(place string, t introspection.Type, v any) (any, error) {
	return w.reflected(place, t, reflect.ValueOf(v), 0)
}

func (w wire) reflected(
	place string, t introspection.Type, v reflect.Value, depth int,
) (any, error) {
	if depth > maxNesting {
		return nil, errInvalid(place, "the value is nested too deeply")
	}
	v = pointed(v)
	switch {
	case !v.IsValid():
		return nil, nil
	case v.Type() == rawMessage:
		var read any
		if err := decodeNumbers(v.Bytes(), &read); err != nil {
			return nil, errInvalid(place, "no JSON: %v", err)
		}
		return w.reflected(place, t, reflect.ValueOf(read), depth+1)
	}
	if t.List {
		return w.list(place, t, v, depth)
	}
	if t.Kind == introspection.CustomType || t.Kind == introspection.InputType {
		return w.object(place, t, v, depth)
	}
	return w.scalar(place, t, v)
}

// pointed returns what pointers and interfaces lead to. A pointer to itself leads nowhere, and is
// returned as it is.
func pointed(v reflect.Value) reflect.Value {
	for range maxNesting {
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			break
		}
		v = v.Elem()
	}
	return v
}

func (w wire) list(place string, t introspection.Type, v reflect.Value, depth int) (any, error) {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array || isBytes(v.Type()) {
		return nil, errInvalid(place, "%s is a list, and %s is none", t, v.Type())
	}
	if v.Kind() == reflect.Slice && v.IsNil() && !t.ListRequired {
		return nil, nil
	}
	element := t
	element.List = false
	all := make([]any, v.Len())
	for i := range all {
		var err error
		at := fmt.Sprintf("%s[%d]", place, i)
		if all[i], err = w.reflected(at, element, v.Index(i), depth+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// object returns what is sent for a custom type: of a map all members, of a struct the fields that
// are not zero and those that the type requires.
func (w wire) object(place string, t introspection.Type, v reflect.Value, depth int) (any, error) {
	fields := w.schema.Object(t).Fields
	all := map[string]any{}
	err := w.members(place, v, func(m member) error {
		f := m.field(fields)
		switch {
		case f == nil && m.ofMap:
			all[m.name] = m.value.Interface()
			return nil
		case f == nil:
			return errInvalid(place, "%s has no field %q", t.Name, m.name)
		case m.value.IsZero() && !m.ofMap && !f.Type.NonNull():
			return nil
		}
		sent, err := w.reflected(place+"."+f.Name, f.Type, m.value, depth+1)
		all[f.Name] = sent
		return err
	})
	return all, err
}

// member is a member of a map, or a field of a struct.
type member struct {
	name  string
	value reflect.Value
	ofMap bool
}

// field returns the field that a member is for, or nil. The name of a member of a map is exact:
// what a program takes out of a map by its name must not come back in another spelling.
func (m member) field(fields []*introspection.Field) *introspection.Field {
	f := findField(fields, m.name)
	if m.ofMap && f != nil && f.Name != m.name {
		return nil
	}
	return f
}

// members calls each for what an object holds.
func (w wire) members(place string, v reflect.Value, each func(member) error) error {
	v = pointed(v)
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int {
			return strings.Compare(a.String(), b.String())
		})
		for _, key := range keys {
			if err := each(member{key.String(), v.MapIndex(key), true}); err != nil {
				return err
			}
		}
		return nil
	case v.Kind() == reflect.Struct:
		for _, g := range w.goFields(v.Type()) {
			field, err := v.FieldByIndexErr(g.index)
			if err != nil {
				continue // in an embedded struct whose pointer is nil
			}
			if err := each(member{g.name, field, false}); err != nil {
				return err
			}
		}
		return nil
	case !v.IsValid():
		return hinted(errInvalid(place, "there is no value"), "Give a struct or a map.")
	}
	return hinted(errInvalid(place, "%s has no fields", v.Type()), "Give a struct or a map.")
}

// scalar returns what is sent for a scalar or an enum.
func (w wire) scalar(place string, t introspection.Type, v reflect.Value) (any, error) {
	wrong := errInvalid(place, "%s cannot be sent for %s", v.Type(), t.Name)
	if t.Name == "AWSJSON" {
		wrong = hinted(wrong, "Use a data.JSON.")
	}
	if only := scalarOf(v.Type()); only != "" && only != t.Name {
		return nil, wrong
	}
	sent, err := plain(place, v, wrong)
	if err != nil {
		return nil, err
	}
	kind := jsonKindOf(t)
	number, isNumber := sent.(json.Number)
	_, isBool := sent.(bool)
	text, isText := sent.(string)
	switch {
	case kind == jsonNumber && !isNumber, kind == jsonBool && !isBool,
		kind == jsonString && !isText && (t.Name != "ID" || !isNumber):
		return nil, wrong
	case t.Kind == introspection.EnumType:
		if values := w.schema.Enum(t.Name).Values; !slices.Contains(values, text) {
			return nil, hinted(errInvalid(place, "%.64q is no value of the enum %s", text, t.Name),
				"It has %s.", strings.Join(values, ", "))
		}
	case t.Name == "Int", t.Name == "AWSTimestamp":
		n, err := number.Int64()
		if err != nil {
			return nil, errInvalid(place, "%s is no whole number", number)
		}
		if t.Name == "Int" && (n < math.MinInt32 || n > math.MaxInt32) {
			return nil, errInvalid(place, "%s is out of range: an Int has 32 bits", number)
		}
	}
	return sent, nil
}

// plain returns v as a string, a bool or a [json.Number]. What writes itself as JSON is returned as
// it does. For anything else it returns wrong.
func plain(place string, v reflect.Value, wrong error) (any, error) {
	if t, ok := v.Interface().(time.Time); ok {
		return dateTime(place, t.UTC())
	}
	if m, ok := marshaler(v); ok {
		return marshaled(place, m)
	}
	switch v.Kind() {
	case reflect.String:
		if number, ok := v.Interface().(json.Number); ok {
			return number, nil
		}
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Float32, reflect.Float64:
		return float(place, v.Float())
	}
	switch {
	case v.CanInt():
		return json.Number(strconv.FormatInt(v.Int(), 10)), nil
	case v.CanUint():
		return json.Number(strconv.FormatUint(v.Uint(), 10)), nil
	}
	return nil, wrong
}

// dateTime returns an AWSDateTime in the form of JavaScript.
func dateTime(place string, utc time.Time) (any, error) {
	if y := utc.Year(); y < 0 || y > 9999 {
		return nil, errInvalid(place, "the year %d does not fit an AWSDateTime", y)
	}
	return utc.Format("2006-01-02T15:04:05.000Z"), nil
}

// float returns a number. One without a fraction is written as a whole number.
func float(place string, f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errInvalid(place, "%v cannot be sent as a number", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return json.Number(strconv.FormatInt(int64(f), 10)), nil
	}
	raw, err := json.Marshal(f)
	return json.Number(raw), err
}

// decodeNumbers decodes JSON, and keeps numbers as they are written.
func decodeNumbers(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

// marshaler returns v, or a pointer to it, as what writes itself as JSON or text.
func marshaler(v reflect.Value) (any, bool) {
	if v.CanAddr() {
		v = v.Addr()
	}
	switch m := v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return m, true
	}
	return nil, false
}

// marshaled returns what a type of its own writes.
func marshaled(place string, m any) (any, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, errInvalid(place, "%v", err)
	}
	var sent any
	if err := decodeNumbers(raw, &sent); err != nil {
		return nil, errInvalid(place, "%T writes no JSON: %v", m, err)
	}
	if sent == "" && !isText(reflect.TypeOf(m)) {
		return nil, errInvalid(place, "the %T is not set", m) // a zero netip.Addr
	}
	return sent, nil
}

// isText reports whether a type is a string with methods.
func isText(t reflect.Type) bool { return dereferenced(t).Kind() == reflect.String }

// scalarOf returns the only scalar that a type is for, or "" if it is not one of those types.
func scalarOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "AWSDateTime"
	case reflect.TypeFor[Date]():
		return "AWSDate"
	case reflect.TypeFor[TimeOfDay]():
		return "AWSTime"
	case reflect.TypeFor[Timestamp]():
		return "AWSTimestamp"
	case reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix]():
		return "AWSIPAddress"
	}
	if j, ok := reflect.Zero(t).Interface().(interface{ scalarName() string }); ok {
		return j.scalarName()
	}
	return ""
}
