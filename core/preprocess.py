def prepare(x): raise RuntimeError
