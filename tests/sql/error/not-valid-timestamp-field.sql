SELECT date_trunc('decade', now())
