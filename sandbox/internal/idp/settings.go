package idp

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// settings returns the operations of administrators that describe the pool and
// its clients. Their answers leave out members that the sandbox knows nothing about.
func (h *Handler) settings() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"DescribeUserPool":       h.ofAdmin(h.describeUserPool),
		"DescribeUserPoolClient": h.ofAdmin(h.describeUserPoolClient),
		"ListUserPoolClients":    h.ofAdmin(h.listUserPoolClients),
		"ListUserPools":          awsjson.Signed(h.listUserPools),
	}
}

const poolName = "sandbox" // outputs do not name pools

// poolDescription is UserPoolDescriptionType.
type poolDescription struct {
	ID               string `json:"Id"`
	Name             string
	CreationDate     float64
	LastModifiedDate float64
}

func (h *Handler) poolDescription() poolDescription {
	created := seconds(h.pool.Created())
	return poolDescription{h.pool.Config().ID, poolName, created, created}
}

func (h *Handler) listUserPools(_ context.Context, in adminInput) (any, error) {
	if in.MaxResults == nil {
		return nil, invalidMaxResults("null", "Member must not be null")
	}
	page, next, err := pageOfSettings([]poolDescription{h.poolDescription()}, in)
	return struct {
		UserPools []poolDescription
		NextToken string `json:",omitempty"`
	}{page, next}, err
}

// pageOfSettings returns the page of a list that in asks for.
func pageOfSettings[T any](list []T, in adminInput) (page []T, next string, err error) {
	limit := maxPage
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	switch value := "'" + strconv.Itoa(limit) + "'"; {
	case limit < 1:
		err = invalidMaxResults(value, "Member must have value greater than or equal to 1")
	case limit > maxPage:
		err = invalidMaxResults(value, "Member must have value less than or equal to 60")
	}
	if err != nil {
		return nil, "", err
	}
	return pageOf(list, limit, in.NextToken)
}

func invalidMaxResults(value, constraint string) error {
	return refuse(userpool.InvalidParameter, "1 validation error detected: Value "+value+
		" at 'maxResults' failed to satisfy constraint: "+constraint)
}

// userPoolType is UserPoolType.
type userPoolType struct {
	poolDescription
	ARN                    string `json:"Arn"`
	EstimatedNumberOfUsers int
	MFAConfiguration       string   `json:"MfaConfiguration"`
	Domain                 string   `json:",omitempty"`
	CustomDomain           string   `json:",omitempty"`
	UsernameAttributes     []string `json:",omitempty"`
	AliasAttributes        []string `json:",omitempty"`
	AutoVerifiedAttributes []string `json:",omitempty"`
	SchemaAttributes       []schemaAttribute
	UsernameConfiguration  struct{ CaseSensitive bool }
	AdminCreateUserConfig  struct{ AllowAdminCreateUserOnly bool }
	Policies               struct{ PasswordPolicy passwordPolicy }
	AccountRecoverySetting struct{ RecoveryMechanisms []recoveryMechanism }

	UserAttributeUpdateSettings *attributeUpdates `json:",omitempty"`
}

// attributeUpdates is UserAttributeUpdateSettingsType.
type attributeUpdates struct{ AttributesRequireVerificationBeforeUpdate []string }

// recoveryMechanism is RecoveryOptionType.
type recoveryMechanism struct {
	Name     string
	Priority int
}

// passwordPolicy is PasswordPolicyType.
type passwordPolicy struct {
	MinimumLength                                                      int
	RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
	TemporaryPasswordValidityDays                                      int
}

// schemaAttribute is SchemaAttributeType.
type schemaAttribute struct {
	Name, AttributeDataType                   string
	DeveloperOnlyAttribute, Mutable, Required bool
}

func (h *Handler) describeUserPool(ctx context.Context, _ adminInput) (any, error) {
	users, err := h.pool.Users(ctx)
	if err != nil {
		return nil, err
	}
	cfg := h.pool.Config()
	t := userPoolType{
		poolDescription: h.poolDescription(), ARN: cfg.ARN(),
		EstimatedNumberOfUsers: len(users), MFAConfiguration: "OFF",
		UsernameAttributes: cfg.UsernameAttributes, AliasAttributes: cfg.AliasAttributes,
		AutoVerifiedAttributes: cfg.VerifiedAttributes,
		SchemaAttributes:       schemaOf(cfg.RequiredAttributes),
	}
	// AWS gives the prefix of Cognito's domains, and the whole name of others.
	prefix, isPrefix := strings.CutSuffix(h.domain, ".auth."+cfg.Region+".amazoncognito.com")
	if isPrefix {
		t.Domain = prefix
	} else {
		t.CustomDomain = h.domain
	}
	p := cfg.PasswordPolicy
	t.Policies.PasswordPolicy = passwordPolicy{
		p.MinLength, p.RequireLowercase, p.RequireUppercase, p.RequireNumbers, p.RequireSymbols, 7}
	for i, name := range cfg.RecoveryAttributes {
		recovery := &t.AccountRecoverySetting.RecoveryMechanisms
		*recovery = append(*recovery, recoveryMechanism{"verified_" + name, i + 1})
	}
	if len(cfg.KeepOriginal) > 0 {
		t.UserAttributeUpdateSettings = &attributeUpdates{cfg.KeepOriginal}
	}
	return struct{ UserPool userPoolType }{t}, nil
}

// schemaOf lists the standard attributes.
func schemaOf(required []string) []schemaAttribute {
	schema := []schemaAttribute{{Name: "sub", AttributeDataType: "String", Required: true}}
	for _, name := range userpool.StandardAttributes() {
		a := schemaAttribute{Name: name, AttributeDataType: "String", Mutable: true}
		switch {
		case strings.HasSuffix(name, "_verified"):
			a.AttributeDataType = "Boolean"
		case name == "updated_at":
			a.AttributeDataType = "Number"
		}
		a.Required = slices.Contains(required, name)
		schema = append(schema, a)
	}
	return schema
}

// clientDescription is UserPoolClientDescription.
type clientDescription struct {
	ClientID   string `json:"ClientId"`
	ClientName string
	UserPoolID string `json:"UserPoolId"`
}

func (h *Handler) clientDescription(c userpool.Client) clientDescription {
	return clientDescription{c.ID, cmp.Or(c.Name, c.ID), h.pool.Config().ID}
}

func (h *Handler) listUserPoolClients(_ context.Context, in adminInput) (any, error) {
	var all []clientDescription
	for _, c := range h.pool.Config().Clients {
		all = append(all, h.clientDescription(c))
	}
	page, next, err := pageOfSettings(all, in)
	return struct {
		UserPoolClients []clientDescription
		NextToken       string `json:",omitempty"`
	}{page, next}, err
}

// userPoolClientType is UserPoolClientType.
type userPoolClientType struct {
	clientDescription
	ClientSecret                    string `json:",omitempty"`
	CreationDate                    float64
	LastModifiedDate                float64
	ExplicitAuthFlows               []string
	SupportedIdentityProviders      []string `json:",omitempty"`
	CallbackURLs                    []string `json:",omitempty"`
	LogoutURLs                      []string `json:",omitempty"`
	AllowedOAuthFlows               []string `json:",omitempty"`
	AllowedOAuthScopes              []string `json:",omitempty"`
	AllowedOAuthFlowsUserPoolClient bool
	PreventUserExistenceErrors      string
	EnableTokenRevocation           bool
	AuthSessionValidity             int // in minutes
	AccessTokenValidity             int
	IDTokenValidity                 int `json:"IdTokenValidity"`
	RefreshTokenValidity            int
	TokenValidityUnits              tokenValidityUnits
	RefreshTokenRotation            refreshTokenRotation
}

// tokenValidityUnits is TokenValidityUnitsType.
type tokenValidityUnits struct {
	AccessToken  string
	IDToken      string `json:"IdToken"`
	RefreshToken string
}

// refreshTokenRotation is RefreshTokenRotationType.
type refreshTokenRotation struct {
	Feature                 string
	RetryGracePeriodSeconds int `json:",omitempty"`
}

func (h *Handler) describeUserPoolClient(_ context.Context, in adminInput) (any, error) {
	c, err := h.pool.Client(in.ClientID)
	if err != nil {
		return nil, err
	}
	t := userPoolClientType{
		clientDescription: h.clientDescription(*c), ClientSecret: c.Secret,
		CreationDate: seconds(h.pool.Created()), LastModifiedDate: seconds(h.pool.Created()),
		ExplicitAuthFlows: c.AuthFlows, SupportedIdentityProviders: c.Providers,
		CallbackURLs: c.CallbackURLs, LogoutURLs: c.LogoutURLs,
		PreventUserExistenceErrors: "ENABLED", EnableTokenRevocation: true,
		AuthSessionValidity:  3, // Cognito's default, by which the pool's challenges expire
		AccessTokenValidity:  int(c.AccessTokenValidity.Seconds()),
		IDTokenValidity:      int(c.IDTokenValidity.Seconds()),
		RefreshTokenValidity: int(c.RefreshTokenValidity.Seconds()),
		TokenValidityUnits:   tokenValidityUnits{"seconds", "seconds", "seconds"},
		RefreshTokenRotation: refreshTokenRotation{Feature: "DISABLED"},
	}
	if len(c.Scopes) > 0 { // managed login is on
		t.AllowedOAuthFlowsUserPoolClient = true
		t.AllowedOAuthFlows, t.AllowedOAuthScopes = []string{"code"}, c.Scopes
	}
	if c.ClientCredentials {
		t.AllowedOAuthFlowsUserPoolClient = true
		t.AllowedOAuthFlows, t.AllowedOAuthScopes = []string{"client_credentials"}, c.Scopes
	}
	if c.RevealUserExistence {
		t.PreventUserExistenceErrors = "LEGACY"
	}
	if c.RotateRefreshTokens {
		t.RefreshTokenRotation = refreshTokenRotation{"ENABLED", int(c.RotationGrace.Seconds())}
	}
	return struct{ UserPoolClient userPoolClientType }{t}, nil
}
