package userpool

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/amplify-go/amplify/sandbox/internal/srp"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// SRPChallenge is the data with which a client proves that it knows the password.
type SRPChallenge struct {
	// UserID is USER_ID_FOR_SRP, the user's username in the pool.
	// Salt and SRPB are in hexadecimal, SecretBlock is in base64.
	UserID, Salt, SRPB, SecretBlock string
}

// SRPClaim is the client's proof.
type SRPClaim struct {
	// Username is the username in the challenge, or another name of the same user.
	Username string
	// SecretBlock and Signature are in base64.
	SecretBlock, Signature, Timestamp string
}

// srpState is the stored data between challenge and claim.
type srpState struct {
	ClientID string
	// Sub is empty if the user is simulated.
	Sub       string
	Subject   string // what the claim counts under
	UserID    string
	Verifier  srp.Verifier
	Challenge *srp.Challenge
}

const srpBucket = "srp"

// StartSRP answers a client's public value SRP_A, in hexadecimal, with a challenge.
func (p *Pool) StartSRP(ctx context.Context, clientID, username, srpA string) (*SRPChallenge, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	claimed, err := p.account(ctx, client, username)
	if err != nil {
		return nil, err
	}
	challenge, err := srp.NewChallenge(claimed.verifier, srpA)
	if err != nil {
		return nil, refuse(InvalidParameter, "SRP_A is not a valid public value.")
	}
	state := srpState{ClientID: clientID, Subject: claimed.subject, UserID: claimed.id.UserID,
		Verifier: claimed.verifier, Challenge: challenge}
	if claimed.user != nil {
		state.Sub = claimed.user.Sub
	}
	block := make([]byte, 64)
	_, _ = rand.Read(block) // never fails (crypto/rand)
	now := p.Now()
	err = p.update(ctx, func(tx *store.Tx) error {
		return tx.Put(srpBucket, hashText(string(block)), state, now.Add(sessionLife), now)
	})
	return &SRPChallenge{
		UserID: claimed.id.UserID, Salt: srp.Hex(claimed.verifier.Salt), SRPB: challenge.SRPB(),
		SecretBlock: base64.StdEncoding.EncodeToString(block),
	}, err
}

// FinishSRP returns the user whose password the claim proves. Its errors
// are those of [Pool.VerifyPassword]. A challenge can be claimed once.
func (p *Pool) FinishSRP(ctx context.Context, clientID string, claim SRPClaim) (*User, error) {
	block, err := base64.StdEncoding.DecodeString(claim.SecretBlock)
	if err != nil {
		return nil, refuse(InvalidParameter, "PASSWORD_CLAIM_SECRET_BLOCK is not base64.")
	}
	signature, err := base64.StdEncoding.DecodeString(claim.Signature)
	if err != nil {
		return nil, refuse(InvalidParameter, "PASSWORD_CLAIM_SIGNATURE is not base64.")
	}
	if _, err := srp.ParseTimestamp(claim.Timestamp); err != nil {
		return nil, refuse(InvalidParameter, "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	var state srpState
	var named *store.User
	err = p.update(ctx, func(tx *store.Tx) (err error) {
		if named, err = find(tx, claim.Username); err != nil {
			return err
		}
		return tx.Take(srpBucket, hashText(string(block)), &state, p.Now())
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, incorrectPassword()
	} else if err != nil {
		return nil, err
	}
	proved := state.Challenge.Verify(p.srpIdentity(state.UserID), state.Verifier,
		srp.Claim{SecretBlock: block, Timestamp: claim.Timestamp, Signature: signature})
	right := proved && state.ClientID == clientID && named != nil && named.Sub == state.Sub
	if err := p.settle(ctx, state.Subject, right); err != nil {
		return nil, err
	}
	return p.admit(ctx, state.Sub)
}

// hashText returns the key in the store for the secret s.
func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
