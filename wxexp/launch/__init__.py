"""Where the stages of a run are carried out: in this process, or on a Ray cluster. The only package that imports ray.

    launcher.launcher         one or the other, as the experiment's resources say
    cluster.cluster           the cluster: joined, or one of this machine's own
    train.fit                 training on Ray Train; session.RaySession is what the loop sees of it
    executor.RayExecutor      work items on actors, which crew.Crew replaces when they are lost; worker.RayWorker is their inside
    tune.sweep                the points of a sweep as Ray Tune trials
    jobs.submit               `python -m wxexp run` as a job of a cluster elsewhere

Nothing is imported here: whoever needs no cluster needs no ray.
"""
