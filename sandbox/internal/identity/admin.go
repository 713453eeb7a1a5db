package identity

import (
	"context"
	"fmt"
)

// The operations in this file are those of administrators.

type poolInput struct {
	IdentityPoolID *string `json:"IdentityPoolId"`
}

// checkID refuses a call that does not name this pool.
func (p *Pool) checkID(id *string) error {
	if err := check("identityPoolId", id, poolID, 55); err != nil {
		return err
	}
	if *id != p.cfg.ID {
		return refuse(ResourceNotFound, "IdentityPool '%s' not found.", *id)
	}
	return nil
}

type listIdentitiesInput struct {
	poolInput
	MaxResults   *int
	NextToken    *string
	HideDisabled bool
}

// maxPage is the largest number of identities in a call (API
// Reference, ListIdentities and DeleteIdentities).
const maxPage = 60

// violation refuses the value of a parameter.
func violation(value, name, constraint string) error {
	return refuse(Validation, detected+"%s at '%s' failed to satisfy constraint: %s",
		value, name, constraint)
}

func (p *Pool) listIdentities(ctx context.Context, in listIdentitiesInput) (any, error) {
	if err := p.checkID(in.IdentityPoolID); err != nil {
		return nil, err
	}
	const name = "maxResults"
	if in.MaxResults == nil {
		return nil, violation("null", name, "Member must not be null")
	}
	limit := *in.MaxResults
	switch value := fmt.Sprintf("'%d'", limit); {
	case limit < 1:
		return nil, violation(value, name, "Member must have value greater than or equal to 1")
	case limit > maxPage:
		return nil, violation(value, name, "Member must have value less than or equal to 60")
	}
	// The token is the last id of the page before. So a caller who
	// deletes what it lists does not miss any.
	after := ""
	if in.NextToken != nil {
		if after = *in.NextToken; !identityID.MatchString(after) {
			return nil, refuse(InvalidParameter, "Invalid NextToken.")
		}
	}
	list, err := p.Identities(ctx, after, limit+1, in.HideDisabled)
	if err != nil {
		return nil, err
	}
	out := struct {
		IdentityPoolID string `json:"IdentityPoolId"`
		Identities     []description
		NextToken      string `json:",omitempty"`
	}{IdentityPoolID: p.cfg.ID, Identities: []description{}}
	for i, identity := range list {
		if i == limit {
			out.NextToken = list[i-1].ID
			break
		}
		out.Identities = append(out.Identities, descriptionOf(identity))
	}
	return out, nil
}

type deleteIdentitiesInput struct {
	IdentityIDsToDelete []string `json:"IdentityIdsToDelete"`
}

func (p *Pool) deleteIdentities(ctx context.Context, in deleteIdentitiesInput) (any, error) {
	const name = "identityIdsToDelete"
	ids := in.IdentityIDsToDelete
	switch {
	case ids == nil:
		return nil, violation("null", name, "Member must not be null")
	case len(ids) == 0:
		return nil, violation("'[]'", name, "Member must have length greater than or equal to 1")
	case len(ids) > maxPage:
		return nil, violation("'[…]'", name, "Member must have length less than or equal to 60")
	}
	for _, id := range ids {
		if err := check(name, &id, identityID, 55); err != nil {
			return nil, err
		}
	}
	return struct{ UnprocessedIdentityIds []string }{[]string{}}, p.Delete(ctx, ids)
}

// provider is CognitoIdentityProvider.
type provider struct {
	ProviderName         string
	ClientID             string `json:"ClientId"`
	ServerSideTokenCheck bool
}

// providers lists the app clients whose tokens are accepted as logins.
func (p *Pool) providers() []provider {
	list := []provider{}
	for _, users := range p.cfg.Providers {
		for _, client := range users.ClientIDs {
			list = append(list, provider{users.name(), client, users.ServerSideTokenCheck})
		}
	}
	return list
}

func (p *Pool) describeIdentityPool(_ context.Context, in poolInput) (any, error) {
	if err := p.checkID(in.IdentityPoolID); err != nil {
		return nil, err
	}
	return struct {
		IdentityPoolID                 string `json:"IdentityPoolId"`
		IdentityPoolName               string
		AllowUnauthenticatedIdentities bool
		AllowClassicFlow               bool
		CognitoIdentityProviders       []provider
	}{p.cfg.ID, "sandbox", p.cfg.AllowGuests, false, p.providers()}, nil
}

// roleMapping is RoleMapping.
type roleMapping struct{ Type, AmbiguousRoleResolution string }

func (p *Pool) getIdentityPoolRoles(_ context.Context, in poolInput) (any, error) {
	if err := p.checkID(in.IdentityPoolID); err != nil {
		return nil, err
	}
	mapping := roleMapping{"Token", "AuthenticatedRole"}
	if p.cfg.DenyAmbiguousRole {
		mapping.AmbiguousRoleResolution = "Deny"
	}
	mappings := map[string]roleMapping{}
	for _, l := range p.providers() {
		mappings[l.ProviderName+":"+l.ClientID] = mapping
	}
	roles := map[string]string{"authenticated": p.cfg.UserRole, "unauthenticated": p.cfg.GuestRole}
	return struct {
		IdentityPoolID string `json:"IdentityPoolId"`
		Roles          map[string]string
		RoleMappings   map[string]roleMapping
	}{p.cfg.ID, roles, mappings}, nil
}
