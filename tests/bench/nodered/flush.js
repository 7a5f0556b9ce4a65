const timer = setInterval(() => {
    const points = context.get("points") || [];
    if (points.length) {
        context.set("points", []);
        node.send({ payload: points });
    }
}, 1000);
context.set("timer", timer);
