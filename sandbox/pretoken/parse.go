package pretoken

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parse reads the response of a Lambda function. It is a JSON object with one of two members:
//
//   - claimsOverrideDetails, for events of version V1_0, with claimsToAddOrOverride,
//     claimsToSuppress and groupOverrideDetails
//   - claimsAndScopeOverrideDetails, for events of version V2_0 and V3_0, with idTokenGeneration,
//     accessTokenGeneration and groupOverrideDetails
//
// A member that is null is as good as none, except groupOverrideDetails: there null is an empty
// object, which suppresses the groups. Parse reports all faults at once. Each names the member, and
// says what is allowed there.
func Parse(text []byte) (Response, error) {
	var p parser
	var r Response
	whole := p.object("the response", text, v1, v2)
	switch given1, given2 := given(whole[v1]), given(whole[v2]); {
	case given1 && given2:
		p.fault("the response", "use either %s or %s", v1, v2)
	case given1:
		m := p.object(v1, whole[v1], add, suppress, groups)
		r.IDToken = p.claims(v1, m)
		for _, name := range slices.Sorted(maps.Keys(r.IDToken.Add)) {
			v := r.IDToken.Add[name]
			if _, ok := v.(string); v != nil && !ok {
				p.fault(v1+"."+add+"."+name, "use a text: other values need %s", v2)
			}
		}
		r.Groups = p.groups(v1, m)
	case given2:
		m := p.object(v2, whole[v2], idToken, accessToken, groups)
		if given(m[idToken]) {
			path := v2 + "." + idToken
			r.IDToken = p.claims(path, p.object(path, m[idToken], add, suppress))
		}
		if given(m[accessToken]) {
			path := v2 + "." + accessToken
			m := p.object(path, m[accessToken], add, suppress, addScopes, suppressScopes)
			r.AccessToken = p.claims(path, m)
			r.AddScopes = p.texts(path, m, addScopes)
			r.SuppressScopes = p.texts(path, m, suppressScopes)
		}
		r.Groups = p.groups(v2, m)
	case p.faults == nil:
		p.fault("the response", "use a member %s (version V1_0) or %s (V2_0, V3_0)", v1, v2)
	}
	if p.faults != nil {
		return Response{}, errors.Join(p.faults...)
	}
	return r, nil
}

// Members of responses.
const (
	v1             = "claimsOverrideDetails"
	v2             = "claimsAndScopeOverrideDetails"
	add            = "claimsToAddOrOverride"
	suppress       = "claimsToSuppress"
	groups         = "groupOverrideDetails"
	idToken        = "idTokenGeneration"
	accessToken    = "accessTokenGeneration"
	addScopes      = "scopesToAdd"
	suppressScopes = "scopesToSuppress"
	groupNames     = "groupsToOverride"
	groupRoles     = "iamRolesToOverride"
	preferredRole  = "preferredRole"
)

// parser collects the faults of a response.
type parser struct{ faults []error }

// fault adds a fault of the member at path.
func (p *parser) fault(path, advice string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s: "+advice, append([]any{path}, args...)...))
}

// object reads an object. It may have these members alone, or any if none is given. Names count to
// the letter, which [json.Unmarshal] would not see to.
func (p *parser) object(path string, raw []byte, members ...string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			p.fault(path, "this is not JSON: %w", err)
		} else {
			p.fault(path, "use a JSON object")
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if members != nil && !slices.Contains(members, name) {
			p.fault(path, "there is no member %q: use %s", name, strings.Join(members, ", "))
		}
	}
	return m
}

// claims reads the claims to add and to suppress.
func (p *parser) claims(path string, m map[string]json.RawMessage) Claims {
	c := Claims{Suppress: p.texts(path, m, suppress)}
	if !given(m[add]) {
		return c
	}
	path += "." + add
	values := p.object(path, m[add])
	c.Add = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if c.Add[name] = value(values[name]); c.Add[name] == nil {
			p.fault(path+"."+name, "use a text, a number, a boolean, an array or an object")
		}
	}
	return c
}

// groups reads groupOverrideDetails. It returns nil if the member is absent.
func (p *parser) groups(path string, m map[string]json.RawMessage) *Groups {
	raw, ok := m[groups]
	if !ok {
		return nil
	}
	path += "." + groups
	m = p.object(path, raw, groupNames, groupRoles, preferredRole)
	g := &Groups{Names: p.texts(path, m, groupNames), Roles: p.texts(path, m, groupRoles)}
	if given(m[preferredRole]) {
		if g.PreferredRole, ok = value(m[preferredRole]).(string); !ok {
			p.fault(path+"."+preferredRole, "use a text")
		}
	}
	return g
}

// texts reads a list of texts.
func (p *parser) texts(path string, m map[string]json.RawMessage, member string) (list []string) {
	if !given(m[member]) {
		return nil
	}
	values, ok := value(m[member]).([]any)
	for _, v := range values {
		text, isText := v.(string)
		ok = ok && isText && text != ""
		list = append(list, text)
	}
	if !ok {
		p.fault(path+"."+member, "use a list of texts, none of which is empty")
	}
	return list
}

// given reports whether a member is there and is not null.
func given(raw json.RawMessage) bool { return raw != nil && !bytes.Equal(raw, []byte("null")) }

// value reads any JSON. Numbers keep their digits. It returns nil for null, and for what has a
// number that is too large for readers of tokens.
func value(raw json.RawMessage) (v any) {
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil
	}
	v = nil
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(&v) // Unmarshal has read the same
	return v
}
