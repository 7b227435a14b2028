package normalize

// Unlearnt is the normaliser without its classifier, for measuring.
func (n *Normalizer) Unlearnt() *Normalizer {
	cfg := n.cfg
	cfg.Learnt = nil
	return &Normalizer{cfg: cfg, keywords: n.keywords, owners: n.owners, patterns: n.patterns}
}
